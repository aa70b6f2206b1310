variable "name" {
  description = "Goes before the name of everything."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets of the balancer."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: a balancer wants subnets in two zones at least."
  }
}

variable "domain" {
  description = "What shoppers type."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain: a name such as shop.example.org, without scheme or path."
  }
}

variable "zone_id" {
  description = "The hosted zone of Route 53 that the domain is in."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate of the balancer, in this region: for the domain and for origin.<domain>."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn: the ARN of a certificate of ACM."
  }
}

variable "cdn" {
  description = "Whether CloudFront stands in front, with the shop's files and the firewall. Without it the balancer takes shoppers itself, with a firewall of its own, and the gateways hand out the files."
  type        = bool
  default     = true
}

variable "cdn_certificate_arn" {
  description = "Certificate of CloudFront, in us-east-1, for the domain."
  type        = string
  default     = null
  validation {
    condition     = var.cdn_certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.cdn_certificate_arn))
    error_message = "cdn_certificate_arn: CloudFront takes certificates from us-east-1 only."
  }
  validation {
    condition     = !var.cdn || var.cdn_certificate_arn != null
    error_message = "cdn_certificate_arn: needed where cdn is on."
  }
}

variable "static_bucket" {
  description = "Name of the bucket of the shop's files."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the bucket."
  type        = string
}

variable "protect" {
  description = "Whether balancer and bucket refuse to be destroyed."
  type        = bool
  default     = true
}

variable "idle_s" {
  description = "How long the balancer keeps a connection on which nothing moves: below http.keep_alive_ms of the services, above gateway.wait_ms_max and the heartbeat of sockets."
  type        = number
  default     = 60
  validation {
    condition     = var.idle_s > 30 && var.idle_s < 75
    error_message = "idle_s: above 30 (a heartbeat and a long poll take 25 s) and below 75 (the services' keep_alive_ms)."
  }
}

variable "per_minute_max" {
  description = "Requests of one address in a minute, by the rule's name, where they differ from deploy/edge.md."
  type        = map(number)
  default     = {}
}

variable "origin_secrets" {
  description = "What the distribution says to be known by the balancer: one value, or two while it is changed. It says the first."
  type        = list(string)
  default     = []
  sensitive   = true
  validation {
    condition     = var.cdn ? length(var.origin_secrets) >= 1 && length(var.origin_secrets) <= 2 : length(var.origin_secrets) == 0
    error_message = "origin_secrets: one or two where cdn is on, and none without."
  }
}

variable "box_office_port" {
  description = "Port of the box office; null for none. It is the balancer's own, which takes nobody but our distribution where there is one."
  type        = number
  default     = null
  validation {
    condition     = var.box_office_port == null || !var.cdn
    error_message = "box_office_port: only with cdn = false; behind CloudFront the balancer refuses whoever comes by himself."
  }
  validation {
    condition     = var.box_office_port == null || try(var.box_office_port >= 1024 && var.box_office_port <= 65535, false)
    error_message = "box_office_port: 1024 to 65535."
  }
}

variable "access_logs_bucket" {
  description = "Bucket for the balancer's access logs, which name every shopper's address; empty for none."
  type        = string
  default     = ""
}
