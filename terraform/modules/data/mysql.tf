resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-mysql80-"
  family      = "mysql8.0"
  description = "The ledger of ${var.name}"

  # Nobody speaks to it in clear.
  parameter {
    name  = "require_secure_transport"
    value = "1"
  }
  dynamic "parameter" {
    for_each = {
      # What is committed is on the disk, and in the log that a replica and a recovery read.
      innodb_flush_log_at_trx_commit = "1"
      sync_binlog                    = "1"
      binlog_format                  = "ROW"
      character_set_server           = "utf8mb4"
      collation_server               = "utf8mb4_0900_ai_ci"
      time_zone                      = "UTC"
      slow_query_log                 = "1"
      long_query_time                = "0.5"
      log_output                     = "FILE"
      # Every connection of ours keeps up to 256 statements prepared, and what is beyond this is an error of whoever comes last.
      max_prepared_stmt_count = "1048576"
    }
    content {
      name  = parameter.key
      value = parameter.value
    }
  }
  parameter {
    name         = "max_connections"
    value        = tostring(var.mysql.connections_max)
    apply_method = "pending-reboot"
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "primary" {
  #checkov:skip=CKV_AWS_161:The services log in with a password over TLS; tokens of IAM are limited to 200 new connections a second
  #checkov:skip=CKV_AWS_293:It is a variable, on by default; off only for places that come and go
  identifier                 = "${var.name}-ledger"
  engine                     = "mysql"
  engine_version             = var.mysql.version
  instance_class             = var.mysql.instance_class
  db_name                    = "miaosha"
  username                   = "miaosha_master"
  password_wo                = ephemeral.aws_secretsmanager_secret_version.password["mysql_master"].secret_string
  password_wo_version        = 1
  ca_cert_identifier         = "rds-ca-rsa2048-g1"
  multi_az                   = var.mysql.multi_az
  db_subnet_group_name       = aws_db_subnet_group.this.name
  parameter_group_name       = aws_db_parameter_group.this.name
  vpc_security_group_ids     = [aws_security_group.store["mysql"].id]
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  apply_immediately          = false

  allocated_storage     = var.mysql.storage_gb
  max_allocated_storage = var.mysql.storage_gb_max
  storage_type          = "gp3"
  iops                  = var.mysql.storage_gb < 400 ? null : var.mysql.iops
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  backup_retention_period   = var.mysql.backup_days
  backup_window             = "02:00-03:00"
  maintenance_window        = "tue:03:30-tue:04:30"
  copy_tags_to_snapshot     = true
  deletion_protection       = var.protect
  skip_final_snapshot       = !var.protect
  final_snapshot_identifier = var.protect ? "${var.name}-ledger-last" : null

  enabled_cloudwatch_logs_exports       = ["error", "slowquery"]
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 15
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
}

resource "aws_db_instance" "replica" {
  #checkov:skip=CKV_AWS_157:It decides nothing, and what reads from it can read from the primary
  #checkov:skip=CKV_AWS_161:As the primary
  #checkov:skip=CKV_AWS_293:It is a copy
  count                      = var.replica == null ? 0 : 1
  identifier                 = "${var.name}-ledger-reader"
  replicate_source_db        = aws_db_instance.primary.identifier
  instance_class             = var.replica.instance_class
  ca_cert_identifier         = "rds-ca-rsa2048-g1"
  parameter_group_name       = aws_db_parameter_group.this.name
  vpc_security_group_ids     = [aws_security_group.store["mysql"].id]
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  storage_type               = "gp3"
  storage_encrypted          = true
  kms_key_id                 = var.kms_key_arn
  copy_tags_to_snapshot      = true
  skip_final_snapshot        = true

  enabled_cloudwatch_logs_exports       = ["error", "slowquery"]
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 15
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

data "aws_partition" "here" {}

resource "aws_iam_role" "monitoring" {
  name_prefix        = "${var.name}-rds-"
  assume_role_policy = data.aws_iam_policy_document.monitoring_trust.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
