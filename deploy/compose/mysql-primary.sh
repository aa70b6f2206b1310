# Sourced by the server's own entrypoint, once, on empty data. What is made here is in the log, and so in the replica, too.
# Passwords are hexadecimal: nothing in them needs escaping.
docker_process_sql <<SQL
CREATE DATABASE miaosha CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER miaosha@'%' IDENTIFIED WITH mysql_native_password BY '${MYSQL_MIAOSHA_PASSWORD:?}';
GRANT ALL ON miaosha.* TO miaosha@'%';
CREATE USER replication@'%' IDENTIFIED WITH mysql_native_password BY '${MYSQL_REPLICATION_PASSWORD:?}';
GRANT REPLICATION SLAVE ON *.* TO replication@'%';
CREATE USER exporter@'%' IDENTIFIED WITH mysql_native_password BY '${MYSQL_EXPORTER_PASSWORD:?}' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, REPLICATION CLIENT ON *.* TO exporter@'%';
GRANT SELECT ON performance_schema.* TO exporter@'%';
SQL
