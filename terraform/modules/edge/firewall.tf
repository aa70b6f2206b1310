# Limits for one address, as the services cannot know them: each sees a part of the requests only. CloudFront counts at its
# edges, within some ten seconds, so a burst gets through; what must hold exactly is held by the services.
locals {
  limits = {
    attempts = { priority = 10, count = var.attempts_per_minute_max, path = "^/v1/sales/[^/]+/attempts$", status = 429 }
    logins   = { priority = 20, count = var.logins_per_minute_max, path = "^/v1/(users|sessions)$", status = 429 }
    all      = { priority = 30, count = var.requests_per_minute_max, path = "^/", status = 429 }
  }
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV2_AWS_31:Its log names every address that was refused; the counters are enough
  count       = var.cdn ? 1 : 0
  provider    = aws.us_east_1
  name        = var.name
  description = "Limits for one address"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  custom_response_body {
    key          = "slower"
    content_type = "APPLICATION_JSON"
    content      = jsonencode({ type = "about:blank", title = "Too Many Requests", status = 429 })
  }

  dynamic "rule" {
    for_each = local.limits
    content {
      name     = rule.key
      priority = rule.value.priority
      action {
        block {
          custom_response {
            response_code            = rule.value.status
            custom_response_body_key = "slower"
            response_header {
              name  = "Retry-After"
              value = "10"
            }
          }
        }
      }
      statement {
        rate_based_statement {
          aggregate_key_type    = "IP"
          limit                 = rule.value.count
          evaluation_window_sec = 60
          scope_down_statement {
            regex_match_statement {
              regex_string = rule.value.path
              field_to_match {
                uri_path {}
              }
              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }
      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.key}"
        sampled_requests_enabled   = false
      }
    }
  }

  rule {
    name     = "known-bad-inputs"
    priority = 40
    override_action {
      none {}
    }
    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-known-bad-inputs"
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}
