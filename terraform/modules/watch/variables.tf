variable "name" {
  description = "Goes before the name of everything."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the topic."
  type        = string
}

variable "emails" {
  description = "Who is written to. Each has to say yes once."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "emails: one of them is no address."
  }
}

variable "balancer_arn_suffix" {
  description = "The balancer, as metrics call it."
  type        = string
}

variable "target_groups" {
  description = "Target groups by service, as metrics call them."
  type        = map(string)
}

variable "payments_service" {
  description = "What the payment-consumers are called: they measure how far everything is behind."
  type        = string
}

variable "relay_service" {
  description = "What those are called that send events and letters."
  type        = string
}

variable "services" {
  description = "Every service, as its metrics call it."
  type        = list(string)
}

variable "stores" {
  description = "Names of the stores: mysql, replica, broker, redis (null where there is none)."
  type        = object({ mysql = string, replica = optional(string), broker = string, redis = optional(string) })
}

variable "redis_shards" {
  description = "Shards of the turnstile."
  type        = number
  default     = 3
}

variable "letters" {
  description = "Names of the queue of letters, and of those that nobody could send."
  type        = object({ name = string, dead_name = string })
}

variable "partitions" {
  description = "rabbit.partitions: queues of attempts."
  type        = number
  default     = 4
  validation {
    condition     = var.partitions >= 1 && var.partitions <= 64
    error_message = "partitions: 1 to 64."
  }
}

variable "namespace" {
  description = "Where the services' metrics are."
  type        = string
  default     = "Miaosha"
}

variable "thresholds" {
  description = "From when somebody is called. Seconds and messages."
  type = object({
    queue_messages_max   = optional(number, 20000)
    overdue_s_max        = optional(number, 5)
    unfreed_s_max        = optional(number, 10)
    paying_s_max         = optional(number, 120)
    refund_due_s_max     = optional(number, 900)
    relay_s_max          = optional(number, 30)
    letters_s_max        = optional(number, 1800)
    replica_s_max        = optional(number, 30)
    errors_per_min_max   = optional(number, 100)
    mysql_cpu_max        = optional(number, 80)
    mysql_free_bytes_min = optional(number, 50000000000)
    redis_memory_max     = optional(number, 70)
    broker_memory_max    = optional(number, 3000000000)
  })
  default = {}
  validation {
    condition     = alltrue([for value in values(var.thresholds) : value > 0])
    error_message = "thresholds: each is above nought."
  }
  validation {
    condition     = var.thresholds.mysql_cpu_max <= 100 && var.thresholds.redis_memory_max <= 100
    error_message = "thresholds: a share is 100 at most."
  }
}
