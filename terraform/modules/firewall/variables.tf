variable "name" {
  description = "What it is called, here and in metrics."
  type        = string
}

variable "scope" {
  description = "CLOUDFRONT, which is us-east-1's, or REGIONAL, for a balancer."
  type        = string
  validation {
    condition     = contains(["CLOUDFRONT", "REGIONAL"], var.scope)
    error_message = "scope: CLOUDFRONT or REGIONAL."
  }
}

variable "per_minute_max" {
  description = "Requests of one address in a minute, by the rule's name, where they differ from deploy/edge.md."
  type        = map(number)
  default     = {}
  validation {
    condition     = length(setsubtract(keys(var.per_minute_max), ["attempts", "entry", "leaving", "admission", "checkout", "papers", "sockets", "webhooks", "all"])) == 0
    error_message = "per_minute_max: attempts, entry, leaving, admission, checkout, papers, sockets, webhooks, all; there is no other rule."
  }
  validation {
    condition     = alltrue([for count in values(var.per_minute_max) : count >= 10 && floor(count) == count])
    error_message = "per_minute_max: whole numbers; the firewall counts from 10."
  }
}

variable "network_header" {
  description = "Header in which the distribution says whose request it is; empty where whoever connects is counted."
  type        = string
  default     = ""
}

variable "own_header" {
  description = "Header by which a request of our distribution is known; without it a request is refused. Empty where everybody may come."
  type        = string
  default     = ""
  validation {
    condition     = var.network_header == "" || var.own_header != ""
    error_message = "own_header: a header that says whose request it is may be believed of our distribution alone."
  }
}

variable "own_values" {
  description = "What stands in own_header: one value, or two while it is changed."
  type        = list(string)
  default     = []
  sensitive   = true
  validation {
    condition     = var.own_header == "" ? length(var.own_values) == 0 : length(var.own_values) >= 1 && length(var.own_values) <= 2 && alltrue([for value in var.own_values : can(regex("^[0-9a-f]{64}$", value))])
    error_message = "own_values: one or two, each of 64 hexadecimal digits, and none without own_header."
  }
}
