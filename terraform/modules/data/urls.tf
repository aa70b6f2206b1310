# Where each store is, with the password that opens it, as a service reads it from its environment: one secret for each, so
# that whoever may read one need not read the others.
locals {
  amqps = try(trimprefix(aws_mq_broker.this.instances[0].endpoints[0], "amqps://"), "")
  ca    = "ssl-mode=verify_identity"

  urls = merge(
    {
      mysql        = "mysql://miaosha_shop:${local.password.mysql_shop}@${aws_db_instance.primary.address}:3306/miaosha?${local.ca}"
      mysql_master = "mysql://miaosha_master:${local.password.mysql_master}@${aws_db_instance.primary.address}:3306/miaosha?${local.ca}"
      mysql_mailer = "mysql://miaosha_mailer:${local.password.mysql_mailer}@${aws_db_instance.primary.address}:3306/miaosha?${local.ca}"
      broker       = "amqps://miaosha:${data.aws_secretsmanager_secret_version.password["broker"].secret_string}@${local.amqps}/%2f?heartbeat=10"
    },
    var.redis == null ? {} : {
      redis = "rediss-cluster://:${data.aws_secretsmanager_secret_version.password["redis"].secret_string}@${aws_elasticache_replication_group.this[0].configuration_endpoint_address}:6379"
    },
    var.replica == null ? {} : {
      mysql_replica = "mysql://miaosha_reader:${local.password.mysql_reader}@${aws_db_instance.replica[0].address}:3306/miaosha?${local.ca}"
    },
  )
  password = { for user, secret in ephemeral.aws_secretsmanager_secret_version.password : user => secret.secret_string }
  url_names = toset(concat(
    ["mysql", "mysql_master", "mysql_mailer", "broker"],
    var.redis == null ? [] : ["redis"],
    var.replica == null ? [] : ["mysql_replica"],
  ))
}

resource "aws_secretsmanager_secret" "url" {
  #checkov:skip=CKV2_AWS_57:They change with the passwords in them
  for_each                = local.url_names
  name                    = "${var.name}/url/${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "url" {
  for_each         = local.url_names
  secret_id        = aws_secretsmanager_secret.url[each.key].id
  secret_string_wo = local.urls[each.key]
  # Written again when a store that it names was made anew.
  secret_string_wo_version = parseint(substr(sha256(join("|", [
    aws_db_instance.primary.address,
    try(aws_db_instance.replica[0].address, ""),
    try(aws_elasticache_replication_group.this[0].configuration_endpoint_address, ""),
    local.amqps,
  ])), 0, 7), 16)
}
