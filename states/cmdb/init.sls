include:
  - cmdb.minion
