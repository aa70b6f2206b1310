# The network, without AWS: what is public, what has no way out, and what is refused.
mock_provider "aws" {
  override_data {
    target = data.aws_region.here
    values = { name = "eu-central-1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/m" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/m" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name        = "shop"
  zones       = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
}

run "three_zones_of_three_kinds" {
  command = plan
  assert {
    condition     = length(aws_subnet.public) == 3 && length(aws_subnet.services) == 3 && length(aws_subnet.data) == 3
    error_message = "each zone has a public, a service and a data subnet"
  }
  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.services), values(aws_subnet.data)) : subnet.cidr_block])) == 9
    error_message = "no two subnets have the same addresses"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_route.services) == 3
    error_message = "each zone has a way out of its own"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "nothing gets a public address by being there"
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.inside : endpoint.private_dns_enabled])
    error_message = "services of AWS are found inside"
  }
}

run "one_way_out" {
  command = plan
  variables {
    nat = "single"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.services) == 3
    error_message = "all zones share the one way out"
  }
}

run "no_way_out" {
  command = plan
  variables {
    nat = "none"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.services) == 0 && length(aws_eip.nat) == 0
    error_message = "there is no way out, and nothing that costs for one"
  }
}

run "a_small_network_is_refused" {
  command = plan
  variables {
    cidr = "10.0.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "what_is_no_network_is_refused" {
  command = plan
  variables {
    cidr = "10.0.0.0"
  }
  expect_failures = [var.cidr]
}

run "one_zone_is_refused" {
  command = plan
  variables {
    zones = ["eu-central-1a"]
  }
  expect_failures = [var.zones]
}

run "a_zone_twice_is_refused" {
  command = plan
  variables {
    zones = ["eu-central-1a", "eu-central-1a"]
  }
  expect_failures = [var.zones]
}

run "another_way_out_is_refused" {
  command = plan
  variables {
    nat = "some"
  }
  expect_failures = [var.nat]
}

run "a_bad_name_is_refused" {
  command = plan
  variables {
    name = "Shop"
  }
  expect_failures = [var.name]
}

run "a_retention_nobody_knows_is_refused" {
  command = plan
  variables {
    log_days = 31
  }
  expect_failures = [var.log_days]
}
