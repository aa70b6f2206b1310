locals {
  limit   = var.thresholds
  usual   = { statistic = "Maximum", minutes = 2, below = false, silent = "notBreaching", dimensions = {} }
  behind  = merge(local.usual, { namespace = var.namespace, dimensions = { service = var.payments_service } })
  relayed = merge(local.usual, { namespace = var.namespace, dimensions = { service = var.relay_service } })

  # What the services measure of themselves.
  own = {
    # Nobody measures while no payment-consumer runs: silence is an alarm here.
    lapse-lag = merge(local.behind, {
      metric = "miaosha_payments_overdue_seconds", threshold = local.limit.overdue_s_max, minutes = 3, silent = "breaching"
      what   = "Holds that are over are not decided: payment-consumers are gone, or the ledger is slow."
    })
    ledger-lag = merge(local.behind, {
      metric = "miaosha_payments_unfreed_seconds", threshold = local.limit.unfreed_s_max
      what   = "What came back is not given on: the turnstile or the ledger is in trouble."
    })
    paying = merge(local.behind, {
      metric = "miaosha_payments_paying_seconds", threshold = local.limit.paying_s_max
      what   = "A payment is neither captured nor void: the provider is away."
    })
    refunds = merge(local.behind, {
      metric = "miaosha_payments_refund_due_seconds", threshold = local.limit.refund_due_s_max
      what   = "Money that is to go back has not gone."
    })
    refunds-failed = merge(local.behind, {
      metric = "miaosha_payments_refunds_failed", threshold = 0
      what   = "Refunds failed and are owed: /desk/refunds."
    })
    relay-lag = merge(local.relayed, {
      metric = "miaosha_relay_oldest_seconds", threshold = local.limit.relay_s_max
      what   = "Events are written and not sent: the broker is away, or nobody relays."
    })
    letters-lag = merge(local.relayed, {
      metric = "miaosha_mail_oldest_unsent_seconds", threshold = local.limit.letters_s_max
      what   = "Letters wait: the mail server is away, or its password is wrong."
    })
    parked = merge(local.behind, {
      metric     = "miaosha_payments_queue_messages", threshold = 0, minutes = 1
      dimensions = { service = var.payments_service, queue = "parked" }
      what       = "A message nobody can decode is parked: `miaosha parked list`."
    })
  }

  queues = {
    for partition in range(var.partitions) : "attempts-${partition}" => merge(local.behind, {
      metric     = "miaosha_payments_queue_messages", threshold = local.limit.queue_messages_max
      dimensions = { service = var.payments_service, queue = "attempts.${partition}" }
      what       = "Attempts wait in partition ${partition}: more consumers, or a slow ledger. At rabbit.queue_messages_max attempts are shed."
    })
  }

  doors = merge([
    for service, group in var.target_groups : {
      "${service}-5xx" = merge(local.usual, {
        namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", threshold = local.limit.errors_per_min_max
        dimensions = { LoadBalancer = var.balancer_arn_suffix, TargetGroup = group }
        what       = "${service} answers with 5xx: overload (503) or a fault of ours."
      })
      "${service}-unhealthy" = merge(local.usual, {
        namespace  = "AWS/ApplicationELB", metric = "UnHealthyHostCount", threshold = 0, minutes = 3
        dimensions = { LoadBalancer = var.balancer_arn_suffix, TargetGroup = group }
        what       = "An instance of ${service} is not ready."
      })
    }
  ]...)

  stores = merge(
    {
      mysql-cpu = merge(local.usual, {
        namespace  = "AWS/RDS", metric = "CPUUtilization", statistic = "Average", threshold = local.limit.mysql_cpu_max, minutes = 5
        dimensions = { DBInstanceIdentifier = var.stores.mysql }, what = "The ledger has little left to give."
      })
      mysql-disk = merge(local.usual, {
        namespace  = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum", below = true, threshold = local.limit.mysql_free_bytes_min
        dimensions = { DBInstanceIdentifier = var.stores.mysql }, what = "The ledger's disk fills up."
      })
      broker-memory = merge(local.usual, {
        namespace  = "AWS/AmazonMQ", metric = "RabbitMQMemUsed", threshold = local.limit.broker_memory_max
        dimensions = { Broker = var.stores.broker }, what = "The broker is about to keep publishers waiting."
      })
      letters-dead = merge(local.usual, {
        namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", threshold = 0, minutes = 1
        dimensions = { QueueName = var.letters.dead_name }, what = "A letter was given up."
      })
      letters-age = merge(local.usual, {
        namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", threshold = local.limit.letters_s_max, minutes = 5
        dimensions = { QueueName = var.letters.name }, what = "The mailer does not keep up, or fails."
      })
    },
    var.stores.replica == null ? {} : {
      replica-lag = merge(local.usual, {
        namespace  = "AWS/RDS", metric = "ReplicaLag", statistic = "Average", threshold = local.limit.replica_s_max, minutes = 3
        dimensions = { DBInstanceIdentifier = var.stores.replica }, what = "Catalogue, exports and reports are behind."
      })
    },
    var.stores.redis == null ? {} : {
      for shard in range(var.redis_shards) : "redis-memory-${shard + 1}" => merge(local.usual, {
        namespace  = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", threshold = local.limit.redis_memory_max
        dimensions = { CacheClusterId = format("%s-%04d-001", var.stores.redis, shard + 1) }
        what       = "A shard of the turnstile is filling up; full, it refuses writes."
      })
    },
  )

  alarms = merge(local.own, local.queues, local.doors, local.stores)
}
