variable "name" {
  description = "Name of the service, with the fleet's before it; its group is called so, too."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,31}$", var.name)) && !endswith(var.name, "-")
    error_message = "name: up to 32 lower case letters, digits and hyphens, a letter first; a target group takes no more."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Where its instances are."
  type        = list(string)
}

variable "image" {
  description = "Container image, named by a version or, better, by its digest."
  type        = string
  validation {
    condition     = can(regex("(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image: with a version or a digest, and not `latest`, which is another one tomorrow."
  }
}

variable "repository_arn" {
  description = "Repository of ECR that the image is in; null for another registry, which hands it out without a password."
  type        = string
  default     = null
}

variable "architecture" {
  description = "arm64 (Graviton) or x86_64."
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture: arm64 or x86_64."
  }
}

variable "instance_type" {
  description = "Size of an instance, of the architecture."
  type        = string
  validation {
    # The letter g behind the generation's digit is Graviton's mark.
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*\\.", var.instance_type)) == (var.architecture == "arm64")
    error_message = "instance_type: it is not of the architecture (c7g… is arm64, c7i… is x86_64)."
  }
}

variable "ami_id" {
  description = "Image of the machine: Amazon Linux 2023, or one made from it that has docker and amazon-cloudwatch-agent."
  type        = string
  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id: looks like ami-0123456789abcdef0."
  }
}

variable "disk_gb" {
  description = "Size of the disk. Nothing that matters is on it."
  type        = number
  default     = 20
  validation {
    condition     = var.disk_gb >= 8 && var.disk_gb <= 500
    error_message = "disk_gb: 8 to 500."
  }
}

variable "capacity" {
  description = "Instances: how many there are outside of events, at least and at most, and how many are kept prepared and stopped. Once the group stands, its three figures are the warmer's."
  type = object({
    min      = number
    desired  = optional(number)
    max      = number
    prepared = optional(number, 0)
  })
  validation {
    condition     = var.capacity.min >= 0 && var.capacity.max >= 1 && var.capacity.max >= var.capacity.min && var.capacity.max <= 1000
    error_message = "capacity: 0 <= min <= max <= 1000."
  }
  validation {
    condition     = coalesce(var.capacity.desired, var.capacity.min) >= var.capacity.min && coalesce(var.capacity.desired, var.capacity.min) <= var.capacity.max
    error_message = "capacity.desired: between min and max."
  }
  validation {
    condition     = var.capacity.prepared >= 0 && var.capacity.prepared <= var.capacity.max
    error_message = "capacity.prepared: between 0 and max."
  }
}

variable "schedules" {
  description = "Scheduled actions, for a group that no event's plan names: at a time (RFC 3339, UTC) or again and again (cron, UTC)."
  type = map(object({
    at         = optional(string)
    recurrence = optional(string)
    min        = number
    max        = number
  }))
  default = {}
  validation {
    condition     = alltrue([for schedule in values(var.schedules) : (schedule.at == null) != (schedule.recurrence == null)])
    error_message = "schedules: each has either `at` or `recurrence`."
  }
  validation {
    condition     = alltrue([for schedule in values(var.schedules) : schedule.at == null || can(regex("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$", schedule.at))])
    error_message = "schedules.at: a time such as 2026-12-01T09:00:00Z."
  }
  validation {
    condition     = alltrue([for schedule in values(var.schedules) : schedule.min >= 0 && schedule.min <= schedule.max])
    error_message = "schedules: 0 <= min <= max."
  }
}

variable "environment" {
  description = "Configuration that is no secret: MIAOSHA__… and RUST_LOG."
  type        = map(string)
  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^(MIAOSHA__[A-Z0-9_]+|RUST_LOG)$", name))])
    error_message = "environment: only MIAOSHA__… and RUST_LOG are read."
  }
  validation {
    condition     = alltrue([for value in values(var.environment) : !can(regex("[\n\r]", value))])
    error_message = "environment: a value is one line."
  }
}

variable "secrets" {
  description = "Secrets it reads, by the variable they become: ARNs in Secrets Manager."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.secrets) : startswith(name, "MIAOSHA__")])
    error_message = "secrets: only MIAOSHA__… are read."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts secrets, logs, buckets and queues."
  type        = string
}

variable "grants" {
  description = "What else it may do, by a name for each statement."
  type        = map(object({ actions = list(string), resources = list(string) }))
  default     = {}
  validation {
    condition     = alltrue(flatten([for grant in values(var.grants) : [for action in grant.actions : !strcontains(action, "*")]]))
    error_message = "grants: every action by its name; a star takes what comes later, too."
  }
}

variable "inner_port" {
  description = "Where /livez, /readyz and /metrics are."
  type        = number
  validation {
    condition     = var.inner_port >= 1024 && var.inner_port <= 65535
    error_message = "inner_port: 1024 to 65535."
  }
}

variable "drain_ms_max" {
  description = "How long a soft stop may take: process.drain_ms_max, and http.unready_ms before it."
  type        = number
  default     = 25000
}

variable "front" {
  description = "For a service that takes requests: its port, what reaches it, and how long a request may take, in seconds. null for one that takes none. leaves_early: it is told to stop when its instance is about to go, and not when its connections have, since they end by nothing else."
  type = object({
    port                       = number
    priority                   = number
    paths                      = list(string)
    longest_request_s          = number
    leaves_early               = optional(bool, false)
    listener_arn               = string
    balancer_arn_suffix        = string
    balancer_security_group_id = string
  })
  default = null
  validation {
    condition     = var.front == null || try(length(var.front.paths) >= 1 && length(var.front.paths) <= 3 && alltrue([for path in var.front.paths : startswith(path, "/")]), false)
    error_message = "front.paths: one to three patterns, each beginning with a slash; with two secrets that is all that a rule of the balancer takes."
  }
  validation {
    condition     = var.front == null || try(var.front.longest_request_s >= 1 && var.front.longest_request_s <= 3500, false)
    error_message = "front.longest_request_s: 1 to 3500; the balancer waits an hour at most."
  }
  validation {
    condition     = var.front == null || try(var.front.port != var.inner_port, false)
    error_message = "front.port: the inner port is not for shoppers."
  }
}

variable "box_office" {
  description = "For a service that has a box office beside its front: the port where it listens, and the listener that it is behind. null for none."
  type        = object({ port = number, listener_arn = string })
  default     = null
  validation {
    condition     = var.box_office == null || try(!contains([var.front.port, var.inner_port], var.box_office.port), false)
    error_message = "box_office: only beside a front, on a port that is neither the front's nor the inner one."
  }
}

variable "own_header" {
  description = "Header by which a request of our distribution is known; the rule takes none without it. Empty where everybody may come."
  type        = string
  default     = ""
}

variable "own_values" {
  description = "What stands in own_header: one value, or two while it is changed."
  type        = list(string)
  default     = []
  sensitive   = true
  validation {
    # The balancer takes stars and question marks for anything.
    condition     = var.own_header == "" ? length(var.own_values) == 0 : length(var.own_values) >= 1 && length(var.own_values) <= 2 && alltrue([for value in var.own_values : can(regex("^[0-9a-f]{64}$", value))])
    error_message = "own_values: one or two, each of 64 hexadecimal digits, and none without own_header."
  }
}

variable "reaches" {
  description = "Stores it speaks to, by name: the store's group and port. The way is opened on both sides."
  type        = map(object({ security_group_id = string, port = number }))
  default     = {}
}

variable "watchers" {
  description = "Groups that may read its inner port beside the balancer: a Prometheus, say."
  type        = map(string)
  default     = {}
}

variable "metrics" {
  description = "Names of the service's metrics that CloudWatch keeps, with the label that tells them apart, or none."
  type        = map(list(string))
  default     = {}
}

variable "metrics_namespace" {
  description = "Where in CloudWatch they are."
  type        = string
  default     = "Miaosha"
}

variable "errors_per_minute_max" {
  description = "Answers of 5xx in a minute from which an instance refresh is taken back; 503 of a full queue are among them."
  type        = number
  default     = 100
}

variable "log_days" {
  description = "How long its log is kept."
  type        = number
  default     = 30
}

variable "ca_bundle_url" {
  description = "Where instances find the certificates that the ledger's is signed with; fetched at boot over TLS."
  type        = string
  default     = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
  validation {
    condition     = startswith(var.ca_bundle_url, "https://")
    error_message = "ca_bundle_url: only over https."
  }
}

variable "nofile" {
  description = "Open files of a process: a socket is one."
  type        = number
  default     = 1048576
  validation {
    condition     = var.nofile >= 65536
    error_message = "nofile: 65536 or more."
  }
}
