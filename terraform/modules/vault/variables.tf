variable "name" {
  description = "Goes before the name of everything."
  type        = string
}

variable "stripe" {
  description = "Whether payments go to Stripe: then there is a place for its keys, which an operator fills."
  type        = bool
  default     = false
}

variable "kid" {
  description = "Name of the first keys of tokens and receipts: one to four letters or digits."
  type        = string
  default     = "a1"
  validation {
    condition     = can(regex("^[a-z0-9]{1,4}$", var.kid))
    error_message = "kid: one to four lower case letters or digits."
  }
}

variable "secret_recovery_days" {
  description = "How long a destroyed secret can be brought back; 0 destroys it at once, for places that come and go."
  type        = number
  default     = 30
  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days: 0, or 7 to 30."
  }
}
