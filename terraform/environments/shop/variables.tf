variable "name" {
  description = "Goes before the name of everything; two fleets of one account have two."
  type        = string
  default     = "miaosha"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}$", var.name)) && !endswith(var.name, "-")
    error_message = "name: 2 to 15 lower case letters, digits and hyphens, a letter first; with a service behind it, it must fit 32."
  }
}

variable "region" {
  description = "Where it all is."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: such as eu-central-1."
  }
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
  default     = "10.60.0.0/16"
}

variable "zones" {
  description = "Availability zones to spread over, by name; null for a, b and c of the region."
  type        = list(string)
  default     = null
}

variable "nat" {
  description = "Ways out: per_zone, single or none."
  type        = string
  default     = "per_zone"
}

variable "protect" {
  description = "Whether stores, buckets and the balancer refuse to be destroyed, and secrets can be brought back. Off for places that come and go."
  type        = bool
  default     = true
}

variable "emulated" {
  description = "Whether AWS is an emulator here; what it cannot take is then left out. With it go cdn = false, redis = null and replica = null."
  type        = bool
  default     = false
}

# ---- where shoppers come in

variable "domain" {
  description = "What shoppers type."
  type        = string
}

variable "zone_id" {
  description = "The hosted zone of Route 53 that the domain is in."
  type        = string
  validation {
    condition     = can(regex("^[A-Z0-9]{8,32}$", var.zone_id))
    error_message = "zone_id: the id of a hosted zone, such as Z0123456789ABC."
  }
}

variable "certificate_arn" {
  description = "Certificate for the domain and origin.<domain>, in this region."
  type        = string
}

variable "cdn" {
  description = "Whether CloudFront stands in front, with the shop's files and limits for one address."
  type        = bool
  default     = true
}

variable "cdn_certificate_arn" {
  description = "Certificate for the domain in us-east-1; needed with cdn."
  type        = string
  default     = null
}

variable "box_office" {
  description = "Whether gateways have a box office, at port 3049 of the balancer; only with cdn = false (deploy/edge.md)."
  type        = bool
  default     = false
}

variable "per_minute_max" {
  description = "Requests of one address in a minute, by the firewall's rule, where they differ from deploy/edge.md."
  type        = map(number)
  default     = {}
}

variable "buckets" {
  description = "Names of the buckets of receipts and of the shop's files; the world has one namespace for them."
  type        = object({ receipts = string, static = string })
}

# ---- what runs

variable "architecture" {
  description = "arm64 (Graviton) or x86_64: of instances, images and functions alike."
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture: arm64 or x86_64."
  }
}

variable "ami_id" {
  description = "Image of the machines; null for the newest Amazon Linux 2023, which an apply in mid-event would roll out. Pin it."
  type        = string
  default     = null
}

variable "images" {
  description = "Container image of each binary, by version or digest."
  type = object({
    publisher        = string
    consumer         = string
    payment-consumer = string
    gateway          = string
    miaosha          = string
  })
}

variable "repositories" {
  description = "Repositories of ECR that the images are in, by binary; empty for another registry."
  type        = map(string)
  default     = {}
}

variable "packages" {
  description = "Zips of the two functions: a file here, or an object in a bucket with its digest."
  type = map(object({
    filename = optional(string)
    bucket   = optional(string)
    key      = optional(string)
    digest   = optional(string)
  }))
  validation {
    condition     = length(setsubtract(["mailer", "warmer"], keys(var.packages))) == 0
    error_message = "packages: mailer and warmer."
  }
}

variable "size" {
  description = "Size of the fleet outside of events: small, medium or large. What an event needs is in its plan."
  type        = string
  default     = "small"
  validation {
    condition     = contains(["small", "medium", "large"], var.size)
    error_message = "size: small, medium or large."
  }
}

variable "fleet" {
  description = "What differs from the size, by service: publisher, consumer, payment-consumer, gateway, sockets."
  type = map(object({
    instance_type = optional(string)
    min           = optional(number)
    desired       = optional(number)
    max           = optional(number)
    prepared      = optional(number)
    recurring     = optional(map(object({ recurrence = string, min = number, max = number })), {})
  }))
  default = {}
  validation {
    condition     = length(setsubtract(keys(var.fleet), ["publisher", "consumer", "payment-consumer", "gateway", "sockets"])) == 0
    error_message = "fleet: publisher, consumer, payment-consumer, gateway, sockets; there is no other service."
  }
}

variable "partitions" {
  description = "rabbit.partitions, the same for the whole fleet and for as long as queues hold messages."
  type        = number
  default     = 4
  validation {
    condition     = var.partitions >= 1 && var.partitions <= 64 && floor(var.partitions) == var.partitions
    error_message = "partitions: a whole number, 1 to 64."
  }
}

variable "pool_max" {
  description = "mysql.pool_max of each process."
  type        = number
  default     = 24
  validation {
    condition     = var.pool_max >= 4 && var.pool_max <= 200
    error_message = "pool_max: 4 to 200."
  }
}

variable "sockets_max" {
  description = "gateway.sockets.sockets_max: sockets of one instance of the socket fleet."
  type        = number
  default     = 200000
  validation {
    condition     = var.sockets_max >= 1000 && var.sockets_max <= 1000000
    error_message = "sockets_max: 1000 to 1000000."
  }
}

variable "otlp_url" {
  description = "Where traces go, such as http://collector:4318/v1/traces; empty for nowhere."
  type        = string
  default     = ""
  validation {
    condition     = var.otlp_url == "" || can(regex("^http://[^/]+/.+", var.otlp_url))
    error_message = "otlp_url: http:// with a path; a collector inside is spoken to in clear."
  }
}

variable "mail" {
  description = "Who writes to shoppers, and the port of the mail server whose URL is in the vault."
  type = object({
    from_name          = optional(string, "Miaosha")
    from_address       = string
    utc_offset_minutes = optional(number, 0)
    smtp_port          = optional(number, 465)
  })
  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.mail.from_address))
    error_message = "mail.from_address: an address such as shop@example.org."
  }
  validation {
    condition     = contains([465, 587, 2465, 2587], var.mail.smtp_port)
    error_message = "mail.smtp_port: 465 or 587, or 2465 or 2587 where those are closed; port 25 is not for us."
  }
  validation {
    condition     = var.mail.utc_offset_minutes >= -720 && var.mail.utc_offset_minutes <= 840
    error_message = "mail.utc_offset_minutes: -720 to 840."
  }
}

variable "stripe" {
  description = "Whether payments go to Stripe; else to the built-in sandbox, and no money moves. It has to be said."
  type        = bool
  nullable    = false
}

# ---- what is kept

variable "mysql" {
  description = "The ledger: see modules/data."
  type = object({
    instance_class  = optional(string)
    storage_gb      = optional(number)
    storage_gb_max  = optional(number)
    iops            = optional(number)
    connections_max = optional(number)
    backup_days     = optional(number)
    multi_az        = optional(bool)
  })
  default = {}
}

variable "replica" {
  description = "The read replica; null for none."
  type        = object({ instance_class = optional(string) })
  default     = {}
}

variable "redis" {
  description = "The turnstile; null for none, which is for emulators: no service starts without one."
  type        = object({ node_type = optional(string), shards = optional(number), replicas = optional(number) })
  default     = {}
}

variable "broker" {
  description = "RabbitMQ: see modules/data."
  type        = object({ instance_type = optional(string), cluster = optional(bool) })
  default     = {}
}

# ---- when

variable "events" {
  description = "Plans: from when to when (RFC 3339, UTC); instances by service, raised by the warmer (capacities) or by scheduled actions (scheduled); instances of functions kept ready."
  type = map(object({
    warm_at    = string
    cool_at    = string
    capacities = optional(map(number), {})
    scheduled  = optional(map(number), {})
    functions  = optional(map(number), {})
    general    = optional(bool, true)
    wait_s_max = optional(number, 600)
  }))
  default = {}
  validation {
    # An action that raises a group before the warmer comes would be taken for what the group is without events.
    condition = length(setintersection(
      toset(flatten([for event in values(var.events) : keys(event.capacities)])),
      toset(flatten([for event in values(var.events) : keys(event.scheduled)])),
    )) == 0
    error_message = "events: a service is raised either by the warmer (capacities) or by scheduled actions (scheduled), in all events the same."
  }
  validation {
    condition     = length(setsubtract(toset(flatten([for event in values(var.events) : concat(keys(event.capacities), keys(event.scheduled))])), ["publisher", "consumer", "payment-consumer", "gateway", "sockets"])) == 0
    error_message = "events: publisher, consumer, payment-consumer, gateway, sockets; there is no other service."
  }
}

variable "alarm_emails" {
  description = "Who is written to when something is wrong."
  type        = set(string)
  default     = []
}

variable "thresholds" {
  description = "From when somebody is called, where it differs from modules/watch."
  type        = map(number)
  default     = {}
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "access_logs_bucket" {
  description = "Bucket for the balancer's access logs, which name every shopper's address; empty for none."
  type        = string
  default     = ""
}
