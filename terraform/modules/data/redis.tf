resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  count       = var.redis == null ? 0 : 1
  name        = "${var.name}-redis7"
  family      = "redis7"
  description = "The turnstile of ${var.name}"

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }
  # A sale that was thrown out for want of room would be restored again and again; a refused write is seen.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV_AWS_191:It is encrypted with our key, by variable
  count                      = var.redis == null ? 0 : 1
  replication_group_id       = "${var.name}-turnstile"
  description                = "The turnstile of ${var.name}"
  engine                     = "redis"
  engine_version             = var.redis.version
  node_type                  = var.redis.node_type
  num_node_groups            = var.redis.shards
  replicas_per_node_group    = var.redis.replicas
  automatic_failover_enabled = true
  multi_az_enabled           = true
  parameter_group_name       = aws_elasticache_parameter_group.this[0].name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.store["redis"].id]
  port                       = local.ports.redis

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = data.aws_secretsmanager_secret_version.password["redis"].secret_string
  auth_token_update_strategy = "ROTATE"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn

  # An old state is no good to anybody: what is lost is rebuilt from the ledger.
  snapshot_retention_limit   = 0
  maintenance_window         = "tue:03:30-tue:04:30"
  auto_minor_version_upgrade = true
  apply_immediately          = true
}
