variable "name" {
  description = "The instance's name."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_id" {
  description = "Where it is."
  type        = string
}

variable "ami_id" {
  description = "Amazon Linux 2023."
  type        = string
  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id: looks like ami-0123456789abcdef0."
  }
}

variable "instance_type" {
  description = "Its size: enough for Prometheus, Grafana and a command now and then."
  type        = string
  default     = "t4g.large"
}

variable "image" {
  description = "The image of the operator's commands (`miaosha`)."
  type        = string
}

variable "repository_arn" {
  description = "Repository of ECR that the image is in; null for another registry."
  type        = string
  default     = null
}

variable "secrets" {
  description = "Secrets its commands read, by the variable they become."
  type        = map(string)
}

variable "kms_key_arn" {
  description = "Key that encrypts them."
  type        = string
}

variable "reaches" {
  description = "Stores it speaks to, by name."
  type        = map(object({ security_group_id = string, port = number }))
}

variable "environment" {
  description = "Configuration that is no secret."
  type        = map(string)
  default     = {}
}

variable "ca_bundle_url" {
  description = "Where it finds the certificates that the ledger's is signed with."
  type        = string
  default     = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
}
