variable "name" {
  description = "Goes before the name of everything."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the stores, one in each zone."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: at least two, or a zone's death is everything's."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts everything here."
  type        = string
}

variable "protect" {
  description = "Whether stores refuse to be destroyed and leave a last copy. Off for places that come and go."
  type        = bool
  default     = true
}

variable "secret_recovery_days" {
  description = "How long a destroyed secret can be brought back; 0 destroys it at once."
  type        = number
  default     = 30
}

variable "mysql" {
  description = "The ledger. version is MySQL's; storage grows from storage_gb to storage_gb_max by itself; connections_max is the server's limit, above the sum of all pools."
  type = object({
    instance_class  = optional(string, "db.r7g.2xlarge")
    version         = optional(string, "8.0")
    storage_gb      = optional(number, 400)
    storage_gb_max  = optional(number, 2000)
    iops            = optional(number, 12000)
    connections_max = optional(number, 4000)
    backup_days     = optional(number, 14)
    multi_az        = optional(bool, true)
  })
  default = {}
  validation {
    condition     = startswith(var.mysql.version, "8.0")
    error_message = "mysql.version: the ledger's SQL is written for MySQL 8.0."
  }
  validation {
    condition     = startswith(var.mysql.instance_class, "db.")
    error_message = "mysql.instance_class: a class of RDS, such as db.r7g.2xlarge."
  }
  validation {
    condition     = var.mysql.storage_gb >= 20 && var.mysql.storage_gb_max > var.mysql.storage_gb
    error_message = "mysql.storage_gb: at least 20, and below storage_gb_max."
  }
  validation {
    # Below 400 GB gp3 gives 3,000 for nothing and takes no wish; above, at least 12,000.
    condition     = var.mysql.storage_gb < 400 ? var.mysql.iops == 3000 : var.mysql.iops >= 12000
    error_message = "mysql.iops: 3000 below 400 GB, 12000 or more from there."
  }
  validation {
    condition     = var.mysql.backup_days >= 1 && var.mysql.backup_days <= 35
    error_message = "mysql.backup_days: 1 to 35; a replica cannot be made without backups."
  }
}

variable "replica" {
  description = "A read replica for catalogue, exports and reports; null for none. It decides nothing."
  type        = object({ instance_class = optional(string, "db.r7g.xlarge") })
  default     = {}
}

variable "redis" {
  description = "The turnstile; null for none (an emulator without cluster mode). Shards are masters, each with this many copies."
  type = object({
    node_type = optional(string, "cache.r7g.large")
    version   = optional(string, "7.1")
    shards    = optional(number, 3)
    replicas  = optional(number, 1)
  })
  default = {}
  validation {
    condition     = var.redis == null || try(var.redis.shards >= 3 && var.redis.shards <= 90, false)
    error_message = "redis.shards: 3 to 90; with fewer no majority is left when one dies."
  }
  validation {
    condition     = var.redis == null || try(var.redis.replicas >= 1 && var.redis.replicas <= 5, false)
    error_message = "redis.replicas: 1 to 5; without one a dead master takes its sales along until it is back."
  }
}

variable "broker" {
  description = "RabbitMQ. Three nodes, or one for places that come and go."
  type = object({
    instance_type = optional(string, "mq.m5.xlarge")
    version       = optional(string, "3.13")
    cluster       = optional(bool, true)
  })
  default = {}
  validation {
    # 4 counts deliveries of quorum queues and drops a message after twenty; our queues must never drop one.
    condition     = startswith(var.broker.version, "3.13")
    error_message = "broker.version: 3.13; earlier ones have no quorum queues at Amazon, later ones drop what was delivered often."
  }
  validation {
    condition     = !(var.broker.cluster && strcontains(var.broker.instance_type, "micro"))
    error_message = "broker.instance_type: mq.t3.micro cannot form a cluster."
  }
}

variable "letters" {
  description = "The queue of letters: visibility is six times the mailer's time-out; a letter is given up after so many receives."
  type = object({
    visibility_s = optional(number, 720)
    receives_max = optional(number, 100)
    days         = optional(number, 4)
  })
  default = {}
  validation {
    condition     = var.letters.receives_max >= 100 && var.letters.receives_max <= 1000
    error_message = "letters.receives_max: 100 to 1000; a letter that somebody else has claimed counts as one."
  }
  validation {
    condition     = var.letters.days >= 4 && var.letters.days <= 14
    error_message = "letters.days: 4 to 14; a mail server may be away for a weekend."
  }
}

variable "receipts_bucket" {
  description = "Name of the bucket of receipts."
  type        = string
}

variable "emulated" {
  description = "Whether AWS is an emulator here: it does not know which queues may use another one for what they gave up."
  type        = bool
  default     = false
}
