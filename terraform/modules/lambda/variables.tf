variable "name" {
  description = "The function's name."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}$", var.name))
    error_message = "name: lower case letters, digits and hyphens, a letter first."
  }
}

variable "description" {
  description = "What it does."
  type        = string
}

variable "package" {
  description = "The zip with `bootstrap` in it: a file here, or an object in a bucket. digest is its SHA-256 in base64, of objects."
  type = object({
    filename = optional(string)
    bucket   = optional(string)
    key      = optional(string)
    digest   = optional(string)
  })
  validation {
    condition     = (var.package.filename != null) != (var.package.bucket != null && var.package.key != null)
    error_message = "package: either filename, or bucket and key."
  }
}

variable "architecture" {
  description = "What it was built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture: arm64 or x86_64."
  }
}

variable "memory_mb" {
  description = "Memory; the share of a processor follows from it."
  type        = number
  default     = 256
  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb: 128 to 10240."
  }
}

variable "timeout_s" {
  description = "How long one call may take."
  type        = number
  validation {
    condition     = var.timeout_s >= 1 && var.timeout_s <= 900
    error_message = "timeout_s: 1 to 900."
  }
}

variable "concurrency_max" {
  description = "Calls at the same time, so that it cannot eat the account's; -1 for no limit of its own."
  type        = number
  default     = -1
}

variable "environment" {
  description = "Its environment. What is secret in it is in the state, too, and encrypted in both places."
  type        = map(string)
  default     = {}
}

variable "kms_key_arn" {
  description = "Key that encrypts environment, logs and dead letters."
  type        = string
}

variable "grants" {
  description = "What it may do beside writing its log, by a name for each statement."
  type = map(object({
    actions    = list(string)
    resources  = list(string)
    conditions = optional(list(object({ test = string, variable = string, values = list(string) })), [])
  }))
  default = {}
  validation {
    condition     = alltrue([for grant in values(var.grants) : !contains(grant.actions, "*")])
    error_message = "grants: a right to everything is no grant."
  }
}

variable "network" {
  description = "Subnets it works in and where it may go, by a name for each way: the store's group and port. null: outside of any network."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
    reaches    = map(object({ security_group_id = string, port = number }))
    outside    = optional(list(number), [443])
  })
  default = null
}

variable "queue" {
  description = "Queue that it is fed from, in batches; null for none."
  type = object({
    arn             = string
    batch_max       = optional(number, 10)
    concurrency_max = optional(number, 20)
    visibility_s    = number
  })
  default = null
  validation {
    condition     = var.queue == null || try(var.queue.visibility_s >= 6 * var.timeout_s, false)
    error_message = "queue.visibility_s: six times timeout_s or more, or a letter comes again while it is still being sent."
  }
  validation {
    condition     = var.queue == null || try(var.queue.concurrency_max >= 2 && var.queue.concurrency_max <= 1000, false)
    error_message = "queue.concurrency_max: 2 to 1000."
  }
}

variable "log_days" {
  description = "How long its log is kept."
  type        = number
  default     = 30
}

variable "asynchronous" {
  description = "How often a call that nobody waits for is tried again, and for how long."
  type        = object({ retries_max = optional(number, 2), age_s_max = optional(number, 3600) })
  default     = {}
  validation {
    condition     = var.asynchronous.retries_max >= 0 && var.asynchronous.retries_max <= 2
    error_message = "asynchronous.retries_max: 0 to 2."
  }
}
