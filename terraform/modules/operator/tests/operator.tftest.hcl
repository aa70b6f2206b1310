mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.60.0.0/16" }
  }
}

variables {
  name        = "shop-operator"
  vpc_id      = "vpc-1"
  subnet_id   = "subnet-1"
  ami_id      = "ami-0123456789abcdef0"
  image       = "registry.example.org/miaosha:1.2.3"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  secrets     = { MIAOSHA__MYSQL__URL = "arn:s" }
  reaches     = { mysql = { security_group_id = "sg-mysql", port = 3306 } }
}

run "a_place_without_a_door" {
  command = plan
  assert {
    condition     = one(aws_instance.this.metadata_options).http_tokens == "required" && one(aws_instance.this.root_block_device).encrypted && aws_instance.this.tags["miaosha:general"] == "true"
    error_message = "as closed as the others, and one of those that the warmer starts"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.reach : rule.security_group_id == "sg-mysql"])
    error_message = "it knocks at stores; nobody knocks at it"
  }
}

run "another_image_of_the_machine_is_refused" {
  command = plan
  variables {
    ami_id = "newest"
  }
  expect_failures = [var.ami_id]
}
