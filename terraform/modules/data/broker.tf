resource "aws_mq_configuration" "this" {
  name           = "${var.name}-broker"
  engine_type    = "RabbitMQ"
  engine_version = var.broker.version
  # How long a consumer may keep a message: above consumer.backoff.outage_ms_max, after which it lets go by itself.
  data = <<-CONF
    consumer_timeout = 1800000
  CONF
}

resource "aws_mq_broker" "this" {
  #checkov:skip=CKV_AWS_207:It is upgraded by hand, between sales: minor versions have changed what a queue does
  #checkov:skip=CKV_AWS_197:RabbitMQ has no log of audits; what it says is in its general log
  broker_name                = "${var.name}-broker"
  engine_type                = "RabbitMQ"
  engine_version             = var.broker.version
  host_instance_type         = var.broker.instance_type
  deployment_mode            = var.broker.cluster ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE"
  publicly_accessible        = false
  subnet_ids                 = var.broker.cluster ? var.subnet_ids : slice(var.subnet_ids, 0, 1)
  security_groups            = [aws_security_group.store["broker"].id]
  auto_minor_version_upgrade = true
  apply_immediately          = false

  configuration {
    id       = aws_mq_configuration.this.id
    revision = aws_mq_configuration.this.latest_revision
  }
  encryption_options {
    kms_key_id        = var.kms_key_arn
    use_aws_owned_key = false
  }
  logs {
    general = true
  }
  maintenance_window_start_time {
    day_of_week = "TUESDAY"
    time_of_day = "03:30"
    time_zone   = "UTC"
  }
  user {
    username = "miaosha"
    password = data.aws_secretsmanager_secret_version.password["broker"].secret_string
  }
}
