"""What step 0002 makes of the facts that it finds, as the code of its time made it."""
