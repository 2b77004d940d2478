include:
  - cmdb.minion.clean
