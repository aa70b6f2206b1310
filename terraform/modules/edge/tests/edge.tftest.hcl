# The front, without AWS: CloudFront is planned here, since the emulator tells it back differently from how it was told.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_ec2_managed_prefix_list" {
    defaults = { id = "pl-cloudfront" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/m/1", arn_suffix = "app/m/1" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/m/1/2" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/m/1" }
  }
  mock_resource "aws_cloudfront_function" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:function/page" }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/D" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::shop-static", id = "shop-static", bucket_regional_domain_name = "shop-static.s3.eu-central-1.amazonaws.com" }
  }
}

mock_provider "aws" {
  alias = "us_east_1"
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/m/1" }
  }
}

variables {
  name                = "shop"
  vpc_id              = "vpc-1"
  subnet_ids          = ["subnet-1", "subnet-2"]
  domain              = "shop.example.org"
  zone_id             = "Z0123456789"
  certificate_arn     = "arn:aws:acm:eu-central-1:123456789012:certificate/a"
  cdn_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/b"
  static_bucket       = "shop-static"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/k"
  origin_secrets = [
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
  ]
}

override_resource {
  target = aws_cloudfront_function.network
  values = { arn = "arn:aws:cloudfront::123456789012:function/network" }
}

run "behind_cloudfront" {
  command = apply
  assert {
    condition     = one([for rule in aws_vpc_security_group_ingress_rule.cloudfront : rule.prefix_list_id]) == "pl-cloudfront" && length(aws_vpc_security_group_ingress_rule.shoppers) == 0
    error_message = "only CloudFront reaches the balancer"
  }
  assert {
    condition     = output.trusted_hops == 2
    error_message = "two proxies add what they saw"
  }
  assert {
    condition     = { for behavior in aws_cloudfront_distribution.this[0].ordered_cache_behavior : behavior.path_pattern => behavior.target_origin_id } == { "/web/*" = "static", "/v1/*" = "services", "/ws" = "services" }
    error_message = "files from the bucket, calls and sockets from the services"
  }
  assert {
    condition     = alltrue([for behavior in aws_cloudfront_distribution.this[0].ordered_cache_behavior : behavior.cache_policy_id == local.caching_disabled if behavior.target_origin_id == "services"])
    error_message = "nothing that a service says is kept"
  }
  assert {
    condition     = nonsensitive(one([for origin in aws_cloudfront_distribution.this[0].origin : origin.origin_access_control_id if origin.origin_id == "static"])) == aws_cloudfront_origin_access_control.static[0].id
    error_message = "the bucket is read with our signature"
  }
  assert {
    condition     = nonsensitive({ for origin in aws_cloudfront_distribution.this[0].origin : origin.origin_id => [for header in origin.custom_header : "${header.name}: ${header.value}"] }) == { static = [], services = ["x-miaosha-origin: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"] }
    error_message = "it says the first of the secrets to the balancer, and to nobody else"
  }
  assert {
    condition     = output.own_header == "x-miaosha-origin" && one(one(aws_lb_listener.https.default_action).fixed_response).status_code == "403"
    error_message = "who comes without it is refused"
  }
  assert {
    condition     = alltrue([for behavior in aws_cloudfront_distribution.this[0].ordered_cache_behavior : [for function in behavior.function_association : "${function.event_type} ${function.function_arn}"] == ["viewer-request arn:aws:cloudfront::123456789012:function/network"] if behavior.target_origin_id == "services"])
    error_message = "calls and sockets say whose they are"
  }
  assert {
    condition     = strcontains(aws_cloudfront_function.network[0].code, "request.headers['${local.network_header}'] =")
    error_message = "in the header that is counted"
  }
  assert {
    condition     = aws_cloudfront_distribution.this[0].web_acl_id == "arn:aws:wafv2:us-east-1:123456789012:global/webacl/m/1" && aws_wafv2_web_acl_association.balancer.web_acl_arn == "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/m/1" && aws_wafv2_web_acl_association.balancer.resource_arn == aws_lb.this.arn
    error_message = "limits at both doors"
  }
  assert {
    condition     = toset(keys(aws_route53_record.shop)) == toset(["A", "AAAA"])
    error_message = "found by both kinds of address"
  }
}

run "without_cloudfront" {
  command = apply
  variables {
    cdn                 = false
    cdn_certificate_arn = null
    origin_secrets      = []
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.shoppers : rule.from_port]) == toset([80, 443]) && length(aws_vpc_security_group_ingress_rule.cloudfront) == 0
    error_message = "shoppers reach the balancer"
  }
  assert {
    condition     = one(one(one(aws_lb_listener.http).default_action).redirect).status_code == "HTTP_301"
    error_message = "and are sent on to TLS"
  }
  assert {
    condition     = output.trusted_hops == 1
    error_message = "one proxy adds what it saw"
  }
  assert {
    condition     = length(module.firewall_at_cdn) == 0 && aws_wafv2_web_acl_association.balancer.resource_arn == aws_lb.this.arn && output.own_header == ""
    error_message = "the balancer has the limits, and takes everybody"
  }
  assert {
    condition     = aws_lb.this.ip_address_type != "dualstack" && toset(keys(aws_route53_record.shop)) == toset(["A"])
    error_message = "an address of IPv6 would be one of 2^64 that one customer has"
  }
}

run "the_balancer" {
  command = apply
  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.desync_mitigation_mode == "strictest" && aws_lb.this.enable_deletion_protection
    error_message = "it passes on what has one meaning only"
  }
  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "TLS 1.2 at least"
  }
}

run "a_box_office_has_a_port_of_its_own" {
  command = apply
  variables {
    cdn             = false
    origin_secrets  = []
    box_office_port = 3049
  }
  assert {
    condition     = one(aws_lb_listener.box_office).port == 3049 && one(aws_lb_listener.box_office).protocol == "HTTPS" && one(aws_vpc_security_group_ingress_rule.box_office).from_port == 3049
    error_message = "by TLS, and reached by everybody"
  }
}

run "without_one_its_port_is_closed" {
  command = plan
  assert {
    condition     = length(aws_lb_listener.box_office) == 0 && length(aws_vpc_security_group_ingress_rule.box_office) == 0 && output.box_office_listener_arn == null
    error_message = "nobody listens, and nobody is let in"
  }
}

run "a_box_office_behind_cloudfront_is_refused" {
  command = plan
  variables {
    box_office_port = 3049
  }
  expect_failures = [var.box_office_port]
}

run "a_certificate_of_another_region_is_refused" {
  command = plan
  variables {
    cdn_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/b"
  }
  expect_failures = [var.cdn_certificate_arn]
}

run "cloudfront_without_a_certificate_is_refused" {
  command = plan
  variables {
    cdn_certificate_arn = null
  }
  expect_failures = [var.cdn_certificate_arn]
}

run "a_url_is_no_domain" {
  command = plan
  variables {
    domain = "https://shop.example.org"
  }
  expect_failures = [var.domain]
}

run "a_connection_kept_longer_than_the_services_do_is_refused" {
  command = plan
  variables {
    idle_s = 75
  }
  expect_failures = [var.idle_s]
}

run "a_distribution_that_is_known_by_nothing_is_refused" {
  command = plan
  variables {
    origin_secrets = []
  }
  expect_failures = [var.origin_secrets]
}

run "three_secrets_are_refused" {
  command = plan
  variables {
    origin_secrets = [
      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
      "00000000000000000000000000000000000000000000000000000000000000ff",
    ]
  }
  expect_failures = [var.origin_secrets]
}

run "one_subnet_is_refused" {
  command = plan
  variables {
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}
