# What a size means, outside of events. Figures of what an instance takes are in the runbook.
locals {
  # The same size of machine, by architecture.
  machine = {
    arm64  = { compute = "c7g", general = "m7g", memory = "r7g" }
    x86_64 = { compute = "c7i", general = "m7i", memory = "r7i" }
  }[var.architecture]

  sizes = {
    small = {
      machines = { publisher = "large", consumer = "large", payment-consumer = "large", gateway = "large", sockets = "large" }
      min      = { publisher = 2, consumer = 2, payment-consumer = 2, gateway = 2, sockets = 2 }
      max      = { publisher = 12, consumer = 6, payment-consumer = 4, gateway = 12, sockets = 8 }
      mysql    = { instance_class = "db.r7g.xlarge", storage_gb = 200, storage_gb_max = 1000, iops = 3000, connections_max = 2000 }
      replica  = "db.r7g.large"
      redis    = "cache.r7g.large"
      broker   = { instance_type = "mq.m5.large" }
    }
    medium = {
      machines = { publisher = "xlarge", consumer = "xlarge", payment-consumer = "large", gateway = "xlarge", sockets = "xlarge" }
      min      = { publisher = 3, consumer = 3, payment-consumer = 2, gateway = 3, sockets = 3 }
      max      = { publisher = 24, consumer = 9, payment-consumer = 6, gateway = 24, sockets = 12 }
      mysql    = { instance_class = "db.r7g.4xlarge", storage_gb = 500, storage_gb_max = 2000, iops = 12000, connections_max = 4000 }
      replica  = "db.r7g.xlarge"
      redis    = "cache.r7g.xlarge"
      broker   = { instance_type = "mq.m5.2xlarge" }
    }
    large = {
      machines = { publisher = "2xlarge", consumer = "2xlarge", payment-consumer = "xlarge", gateway = "2xlarge", sockets = "2xlarge" }
      min      = { publisher = 3, consumer = 3, payment-consumer = 3, gateway = 4, sockets = 4 }
      max      = { publisher = 40, consumer = 12, payment-consumer = 9, gateway = 60, sockets = 24 }
      mysql    = { instance_class = "db.r7g.8xlarge", storage_gb = 1000, storage_gb_max = 4000, iops = 20000, connections_max = 8000 }
      replica  = "db.r7g.2xlarge"
      redis    = "cache.r7g.2xlarge"
      broker   = { instance_type = "mq.m5.4xlarge" }
    }
  }
  sized = local.sizes[var.size]

  # Sockets are memory, requests are processor.
  family = { publisher = "compute", consumer = "compute", payment-consumer = "general", gateway = "compute", sockets = "memory" }

  mysql = merge({ backup_days = 14, multi_az = true }, local.sized.mysql)
  redis = { node_type = local.sized.redis, shards = 3, replicas = 1 }

  plan = {
    for service, family in local.family : service => {
      instance_type = coalesce(try(var.fleet[service].instance_type, null), "${local.machine[family]}.${local.sized.machines[service]}")
      capacity = {
        min      = coalesce(try(var.fleet[service].min, null), local.sized.min[service])
        desired  = coalesce(try(var.fleet[service].desired, null), try(var.fleet[service].min, null), local.sized.min[service])
        max      = coalesce(try(var.fleet[service].max, null), local.sized.max[service])
        prepared = coalesce(try(var.fleet[service].prepared, null), local.sized.min[service])
      }
    }
  }
}
