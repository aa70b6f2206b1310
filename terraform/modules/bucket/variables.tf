variable "name" {
  description = "The bucket's name; the world has one namespace for them."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name: 3 to 63 lower case letters, digits and hyphens."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts its objects."
  type        = string
}

variable "old_versions_days" {
  description = "How long a version is kept after something newer, or nothing, took its place."
  type        = number
  default     = 30
  validation {
    condition     = var.old_versions_days >= 1 && var.old_versions_days <= 3650
    error_message = "old_versions_days: 1 to 3650."
  }
}

variable "keep" {
  description = "Whether destroying the bucket is refused while anything is in it."
  type        = bool
  default     = true
}

variable "policies" {
  description = "What else the bucket's policy says, as JSON documents."
  type        = list(string)
  default     = []
}
