# The stores. Replica and cluster-mode Redis are planned here, and nowhere but at AWS applied. Passwords are drawn by AWS even
# for a plan, and what is drawn cannot be mocked: AWS is the emulator here.
provider "aws" {
  region = "eu-central-1"
}

variables {
  name            = "shop"
  vpc_id          = "vpc-1"
  subnet_ids      = ["subnet-1", "subnet-2", "subnet-3"]
  kms_key_arn     = "arn:aws:kms:eu-central-1:123456789012:key/k"
  receipts_bucket = "shop-receipts"
}

run "the_ledger" {
  command = plan
  assert {
    condition     = aws_db_instance.primary.multi_az && aws_db_instance.primary.storage_encrypted && aws_db_instance.primary.deletion_protection && !aws_db_instance.primary.publicly_accessible
    error_message = "two zones, encrypted, protected, private"
  }
  assert {
    condition     = one([for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "require_secure_transport"]) == "1"
    error_message = "nobody speaks to it in clear"
  }
  assert {
    condition     = one([for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "max_prepared_stmt_count"]) == "1048576"
    error_message = "as many statements as the connections keep"
  }
  assert {
    condition     = one([for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "innodb_flush_log_at_trx_commit"]) == "1" && one([for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "sync_binlog"]) == "1"
    error_message = "what is committed is on the disk"
  }
  assert {
    condition     = aws_db_instance.primary.password == null && aws_db_instance.primary.password_wo_version == 1
    error_message = "its password is only written"
  }
  assert {
    condition     = length(aws_db_instance.replica) == 1 && aws_db_instance.replica[0].replicate_source_db == aws_db_instance.primary.identifier && aws_db_instance.replica[0].storage_encrypted
    error_message = "a reader follows it"
  }
}

run "the_turnstile" {
  command = plan
  assert {
    condition     = aws_elasticache_replication_group.this[0].num_node_groups == 3 && aws_elasticache_replication_group.this[0].replicas_per_node_group == 1
    error_message = "three shards, each with a copy"
  }
  assert {
    condition     = aws_elasticache_replication_group.this[0].transit_encryption_enabled && aws_elasticache_replication_group.this[0].transit_encryption_mode == "required" && aws_elasticache_replication_group.this[0].at_rest_encryption_enabled == "true"
    error_message = "encrypted on the way and at rest"
  }
  assert {
    condition     = aws_elasticache_replication_group.this[0].automatic_failover_enabled && aws_elasticache_replication_group.this[0].multi_az_enabled
    error_message = "a copy takes over by itself"
  }
  assert {
    condition     = one([for parameter in aws_elasticache_parameter_group.this[0].parameter : parameter.value if parameter.name == "maxmemory-policy"]) == "noeviction"
    error_message = "no sale is thrown out for want of room"
  }
}

run "the_broker" {
  command = plan
  assert {
    condition     = aws_mq_broker.this.deployment_mode == "CLUSTER_MULTI_AZ" && length(aws_mq_broker.this.subnet_ids) == 3 && !aws_mq_broker.this.publicly_accessible
    error_message = "three nodes in three zones, private"
  }
}

run "the_letters" {
  command = plan
  assert {
    condition     = aws_sqs_queue.letters.visibility_timeout_seconds == 720 && aws_sqs_queue.letters.message_retention_seconds == 345600
    error_message = "six times the mailer's time-out, four days"
  }
  assert {
    condition     = aws_sqs_queue.dead.message_retention_seconds == 1209600
    error_message = "what was given up is kept for fourteen days"
  }
}

run "only_letters_are_given_up_there" {
  command = plan
  assert {
    condition     = length(aws_sqs_queue_redrive_allow_policy.dead) == 1
    error_message = "no other queue puts its messages there"
  }
}

run "urls_one_by_one" {
  command = plan
  assert {
    condition     = toset(keys(aws_secretsmanager_secret.url)) == toset(["mysql", "mysql_master", "mysql_mailer", "mysql_replica", "redis", "broker"])
    error_message = "a secret for each store and user"
  }
}

run "without_what_an_emulator_cannot_take" {
  command = plan
  variables {
    replica = null
    redis   = null
  }
  assert {
    condition     = length(aws_db_instance.replica) == 0 && length(aws_elasticache_replication_group.this) == 0 && !contains(keys(aws_secretsmanager_secret.url), "redis") && !contains(keys(aws_secretsmanager_secret.url), "mysql_replica")
    error_message = "neither they nor their secrets"
  }
}

run "another_mysql_is_refused" {
  command = plan
  variables {
    mysql = { version = "8.4" }
  }
  expect_failures = [var.mysql]
}

run "iops_below_their_size_are_refused" {
  command = plan
  variables {
    mysql = { storage_gb = 500, iops = 3000 }
  }
  expect_failures = [var.mysql]
}

run "no_backups_are_refused" {
  command = plan
  variables {
    mysql = { backup_days = 0 }
  }
  expect_failures = [var.mysql]
}

run "two_shards_are_refused" {
  command = plan
  variables {
    redis = { shards = 2 }
  }
  expect_failures = [var.redis]
}

run "masters_without_copies_are_refused" {
  command = plan
  variables {
    redis = { replicas = 0 }
  }
  expect_failures = [var.redis]
}

run "a_broker_that_drops_what_came_often_is_refused" {
  command = plan
  variables {
    broker = { version = "4.2" }
  }
  expect_failures = [var.broker]
}

run "a_cluster_of_the_smallest_is_refused" {
  command = plan
  variables {
    broker = { instance_type = "mq.t3.micro" }
  }
  expect_failures = [var.broker]
}

run "letters_given_up_early_are_refused" {
  command = plan
  variables {
    letters = { receives_max = 5 }
  }
  expect_failures = [var.letters]
}

run "letters_forgotten_over_a_weekend_are_refused" {
  command = plan
  variables {
    letters = { days = 2 }
  }
  expect_failures = [var.letters]
}

run "one_subnet_is_refused" {
  command = plan
  variables {
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}
