terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { "miaosha:fleet" = var.name }
  }
  # What the warmer writes on groups, instances and functions is its own.
  ignore_tags {
    key_prefixes = ["miaosha:warm:"]
  }
}

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
  default_tags {
    tags = { "miaosha:fleet" = var.name }
  }
}
