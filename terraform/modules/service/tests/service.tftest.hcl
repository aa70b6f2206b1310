# One service of each kind, without AWS.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/m" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/m" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-1", latest_version = 7 }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/m/1", arn_suffix = "targetgroup/m/1" }
  }
}

variables {
  name          = "shop-publisher"
  vpc_id        = "vpc-1"
  subnet_ids    = ["subnet-1", "subnet-2"]
  image         = "registry.example.org/publisher:1.2.3"
  instance_type = "c7g.large"
  ami_id        = "ami-0123456789abcdef0"
  capacity      = { min = 2, max = 12, prepared = 4 }
  environment   = { MIAOSHA__HTTP__LISTEN = "0.0.0.0:8081", RUST_LOG = "info" }
  secrets       = { MIAOSHA__RABBIT__URL = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:broker" }
  kms_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/k"
  inner_port    = 9101
  reaches       = { broker = { security_group_id = "sg-broker", port = 5671 } }
  metrics       = { miaosha_publisher_attempts_shed_total = ["reason"], miaosha_publisher_attempts_waiting = [] }
  front = {
    port                       = 8081
    priority                   = 10
    paths                      = ["/v1/sales/*/attempts"]
    longest_request_s          = 600
    listener_arn               = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/m/1/2"
    balancer_arn_suffix        = "app/m/1"
    balancer_security_group_id = "sg-balancer"
  }
}

run "how_an_instance_is_made" {
  command = apply
  assert {
    condition     = one(aws_launch_template.this.metadata_options).http_tokens == "required" && one(aws_launch_template.this.metadata_options).http_put_response_hop_limit == 1
    error_message = "its credentials are given to nobody who only got it to make a request"
  }
  assert {
    condition     = one(one(aws_launch_template.this.block_device_mappings).ebs).encrypted == "true"
    error_message = "its disk is encrypted"
  }
  assert {
    condition     = length(aws_launch_template.this.user_data) < 21000
    error_message = "what it starts with fits 16 KB before base64"
  }
  assert {
    condition     = strcontains(local.files["/etc/systemd/system/miaosha.service"].content, "docker stop --time 35 miaosha") && strcontains(local.files["/etc/systemd/system/miaosha.service"].content, "TimeoutStopSec=45")
    error_message = "it is left more time to stop than the drain of 25 s takes"
  }
  assert {
    condition     = local.files["/etc/miaosha/secrets"].content == "MIAOSHA__RABBIT__URL arn:aws:secretsmanager:eu-central-1:123456789012:secret:broker\n" && local.files["/etc/miaosha/secrets"].mode == "0600"
    error_message = "it knows where its secrets are, and only root does"
  }
  assert {
    condition     = local.files["/etc/miaosha/settings"].content == "AWS_REGION=eu-central-1\nMIAOSHA__HTTP__LISTEN=0.0.0.0:8081\nRUST_LOG=info\n"
    error_message = "one setting a line, and none is a secret"
  }
  assert {
    condition     = !strcontains(local.files["/usr/local/sbin/miaosha-watch"].content, "lifecycle-state")
    error_message = "it does not leave early: its requests end by themselves"
  }
  assert {
    condition = toset([for declaration in local.agent.logs.metrics_collected.prometheus.emf_processor.metric_declaration : jsonencode([declaration.dimensions, declaration.metric_selectors])]) == toset([
      jsonencode([[["service"]], ["^(miaosha_process_ready|miaosha_publisher_attempts_waiting)$"]]),
      jsonencode([[["service", "reason"]], ["^(miaosha_publisher_attempts_shed_total)$"]]),
    ])
    error_message = "only what is named goes to CloudWatch, by the labels that are named"
  }
}

run "how_many_there_are" {
  command = apply
  assert {
    condition     = aws_autoscaling_group.this.min_size == 2 && aws_autoscaling_group.this.desired_capacity == 2 && aws_autoscaling_group.this.max_size == 12
    error_message = "the group's three figures"
  }
  assert {
    condition     = one(aws_autoscaling_group.this.warm_pool).min_size == 4 && one(aws_autoscaling_group.this.warm_pool).pool_state == "Stopped"
    error_message = "four are prepared and stopped"
  }
  assert {
    condition     = one(one(aws_autoscaling_group.this.instance_refresh).preferences).auto_rollback && one(one(one(aws_autoscaling_group.this.instance_refresh).preferences).alarm_specification).alarms[0] == aws_cloudwatch_metric_alarm.errors[0].alarm_name
    error_message = "a refresh goes back by itself when its alarm rings"
  }
  assert {
    condition     = one(aws_autoscaling_group.this.launch_template).version == "7"
    error_message = "a refresh goes back to a version with a number"
  }
}

run "who_gets_in" {
  command = apply
  assert {
    condition     = one(aws_lb_target_group.this).deregistration_delay == "610"
    error_message = "a request may take its time before its instance goes"
  }
  assert {
    condition     = one(one(aws_lb_target_group.this).health_check).path == "/readyz" && one(one(aws_lb_target_group.this).health_check).port == "9101"
    error_message = "it is asked at its inner port whether it is ready"
  }
  assert {
    condition     = one(one(aws_lb_target_group.this).protocol_version[*]) == "HTTP1"
    error_message = "the balancer speaks HTTP/1.1 to it"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.inward : "${rule.referenced_security_group_id}:${rule.from_port}"]) == toset(["sg-balancer:8081", "sg-balancer:9101"])
    error_message = "only the balancer, at two doors"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.reach : "${rule.security_group_id}:${rule.from_port}"]) == toset(["sg-broker:5671"])
    error_message = "only the store that it uses"
  }
}

run "without_a_distribution_everybody_comes" {
  command = plan
  assert {
    condition     = [for condition in one(aws_lb_listener_rule.this).condition : one(condition.path_pattern).values] == [toset(["/v1/sales/*/attempts"])]
    error_message = "the path alone decides"
  }
}

run "behind_a_distribution_it_has_to_be_ours" {
  command = plan
  variables {
    own_header = "x-miaosha-origin"
    own_values = ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"]
  }
  assert {
    condition = nonsensitive({
      for condition in one(aws_lb_listener_rule.this).condition :
      try(one(condition.http_header).http_header_name, "path") => length(condition.http_header) == 1 ? one(condition.http_header).values : one(condition.path_pattern).values
      }) == {
      path             = toset(["/v1/sales/*/attempts"])
      x-miaosha-origin = toset(["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"])
    }
    error_message = "the path and the header; while the secret changes, both are good"
  }
}

run "a_secret_that_the_balancer_takes_for_anything_is_refused" {
  command = plan
  variables {
    own_header = "x-miaosha-origin"
    own_values = ["*"]
  }
  expect_failures = [var.own_values]
}

run "a_header_without_a_secret_is_refused" {
  command = plan
  variables {
    own_header = "x-miaosha-origin"
  }
  expect_failures = [var.own_values]
}

run "four_paths_are_refused" {
  command = plan
  variables {
    front = {
      port                       = 8081
      priority                   = 10
      paths                      = ["/a", "/b", "/c", "/d"]
      longest_request_s          = 600
      listener_arn               = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/m/1/2"
      balancer_arn_suffix        = "app/m/1"
      balancer_security_group_id = "sg-balancer"
    }
  }
  expect_failures = [var.front]
}

run "sockets_leave_early" {
  command = plan
  variables {
    name = "shop-sockets"
    front = {
      port                       = 8083
      priority                   = 20
      paths                      = ["/ws"]
      longest_request_s          = 30
      leaves_early               = true
      listener_arn               = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/m/1/2"
      balancer_arn_suffix        = "app/m/1"
      balancer_security_group_id = "sg-balancer"
    }
  }
  assert {
    condition     = strcontains(local.files["/usr/local/sbin/miaosha-watch"].content, "lifecycle-state") && aws_lb_target_group.this[0].deregistration_delay == "50"
    error_message = "told in time, and the balancer waits until they have gone"
  }
}

run "a_box_office_is_a_second_door" {
  command = plan
  variables {
    box_office = { port = 3049, listener_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/m/1/3" }
  }
  assert {
    condition     = one(aws_lb_target_group.box_office).port == 3049 && one(one(aws_lb_target_group.box_office).health_check).port == "9101" && one(one(aws_lb_target_group.box_office).health_check).path == "/readyz"
    error_message = "another port of the same instances, which are asked where they are always asked"
  }
  assert {
    condition     = one(aws_lb_listener_rule.box_office).listener_arn == var.box_office.listener_arn && one(aws_lb_listener_rule.this).listener_arn == var.front.listener_arn
    error_message = "each behind its own listener"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.inward : "${rule.referenced_security_group_id}:${rule.from_port}"]) == toset(["sg-balancer:8081", "sg-balancer:9101", "sg-balancer:3049"])
    error_message = "only the balancer, at three doors"
  }
}

run "a_box_office_at_another_door_is_refused" {
  command = plan
  variables {
    box_office = { port = 8081, listener_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/m/1/3" }
  }
  expect_failures = [var.box_office]
}

run "a_worker_has_no_door" {
  command = plan
  variables {
    name  = "shop-consumer"
    front = null
  }
  assert {
    condition     = length(aws_lb_target_group.this) == 0 && length(aws_lb_listener_rule.this) == 0 && length(aws_vpc_security_group_ingress_rule.inward) == 0
    error_message = "nobody knocks"
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.unready) == 1 && aws_cloudwatch_metric_alarm.unready[0].metric_name == "miaosha_process_ready"
    error_message = "a refresh of workers goes back when one is not ready"
  }
}

run "x86" {
  command = plan
  variables {
    architecture  = "x86_64"
    instance_type = "c7i.large"
  }
  assert {
    condition     = aws_launch_template.this.instance_type == "c7i.large"
    error_message = "the other architecture"
  }
}

run "a_machine_of_the_other_architecture_is_refused" {
  command = plan
  variables {
    architecture = "x86_64"
  }
  expect_failures = [var.instance_type]
}

run "latest_is_refused" {
  command = plan
  variables {
    image = "registry.example.org/publisher:latest"
  }
  expect_failures = [var.image]
}

run "an_image_without_a_version_is_refused" {
  command = plan
  variables {
    image = "registry.example.org/publisher"
  }
  expect_failures = [var.image]
}

run "less_than_the_least_is_refused" {
  command = plan
  variables {
    capacity = { min = 4, desired = 2, max = 12 }
  }
  expect_failures = [var.capacity]
}

run "more_than_the_most_is_refused" {
  command = plan
  variables {
    capacity = { min = 4, max = 2 }
  }
  expect_failures = [var.capacity]
}

run "a_setting_of_two_lines_is_refused" {
  command = plan
  variables {
    environment = { MIAOSHA__MAIL__FROM_NAME = "Shop\nMIAOSHA__NAMESPACE=other" }
  }
  expect_failures = [var.environment]
}

run "a_foreign_setting_is_refused" {
  command = plan
  variables {
    environment = { LD_PRELOAD = "/tmp/x.so" }
  }
  expect_failures = [var.environment]
}

run "a_star_is_refused" {
  command = plan
  variables {
    grants = { Everything = { actions = ["s3:*"], resources = ["*"] } }
  }
  expect_failures = [var.grants]
}

run "one_door_for_both_is_refused" {
  command = plan
  variables {
    inner_port = 8081
  }
  expect_failures = [var.front]
}

run "a_schedule_without_a_time_is_refused" {
  command = plan
  variables {
    schedules = { never = { min = 1, max = 2 } }
  }
  expect_failures = [var.schedules]
}

run "a_time_that_is_not_utc_is_refused" {
  command = plan
  variables {
    schedules = { spring = { at = "2030-03-01T09:00:00+01:00", min = 1, max = 2 } }
  }
  expect_failures = [var.schedules]
}

run "too_few_files_are_refused" {
  command = plan
  variables {
    nofile = 1024
  }
  expect_failures = [var.nofile]
}

run "another_image_of_the_machine_is_refused" {
  command = plan
  variables {
    ami_id = "latest"
  }
  expect_failures = [var.ami_id]
}

run "certificates_in_clear_are_refused" {
  command = plan
  variables {
    ca_bundle_url = "http://example.org/ca.pem"
  }
  expect_failures = [var.ca_bundle_url]
}
