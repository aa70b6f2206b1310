variable "name" {
  description = "Goes before the name of everything."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name: 2 to 20 lower case letters, digits and hyphens, a letter first."
  }
}

variable "cidr" {
  description = "Addresses of the network; a /16 to a /20. Each zone gets three parts of it: public, services, data."
  type        = string
  default     = "10.60.0.0/16"
  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.cidr)[1]), 99) <= 20
    error_message = "cidr: an IPv4 network between /16 and /20, such as 10.60.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones to spread over, by name: two, or better three, which the broker's cluster wants. By name, so that a new one of the region moves nothing."
  type        = list(string)
  validation {
    condition     = contains([2, 3], length(var.zones)) && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones: two or three, each once."
  }
  validation {
    condition     = alltrue([for zone in var.zones : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", zone))])
    error_message = "zones: names such as eu-central-1a."
  }
}

variable "nat" {
  description = "Ways out for services: one for each zone, a single one (cheaper; a zone's death may take it), or none."
  type        = string
  default     = "per_zone"
  validation {
    condition     = contains(["per_zone", "single", "none"], var.nat)
    error_message = "nat: per_zone, single or none."
  }
}

variable "endpoints" {
  description = "AWS services that are reached inside the network and not through the way out."
  type        = set(string)
  default     = ["secretsmanager", "logs", "sqs", "ecr.api", "ecr.dkr", "kms", "ssm", "ssmmessages"]
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs."
  type        = string
}

variable "log_days" {
  description = "How long flow logs are kept."
  type        = number
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_days)
    error_message = "log_days: a retention that CloudWatch Logs knows, such as 30 or 365."
  }
}
