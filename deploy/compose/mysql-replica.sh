# Sourced by the server's own entrypoint, once, on empty data. Whom to follow is remembered; following begins with the next start,
# which is the first that others can reach. So does writing nothing oneself: the entrypoint still has to.
docker_process_sql <<SQL
RESET MASTER;
CHANGE REPLICATION SOURCE TO
  SOURCE_HOST = 'mysql', SOURCE_PORT = 3306, SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 2,
  SOURCE_USER = 'replication', SOURCE_PASSWORD = '${MYSQL_REPLICATION_PASSWORD:?}';
SET PERSIST_ONLY super_read_only = ON;
SQL
