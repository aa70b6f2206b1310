# Limits for one address, or for one network, as the services cannot know them: each sees a part of the requests only. They are
# counted within some ten seconds, so a burst gets through; what must hold exactly is held by the services. What each limit is
# for, and why it is as high as it is, stands in deploy/edge.md.
locals {
  # A star is one part of a path. `except`: every path but these.
  rules = {
    attempts  = { priority = 10, count = 480, method = "", paths = ["/v1/sales/*/attempts"], except = [] }
    entry     = { priority = 20, count = 120, method = "", paths = ["/v1/users", "/v1/sessions", "/v1/codes", "/v1/codes/proof", "/v1/me/password", "/v1/me/email", "/v1/me/second-factor", "/v1/me/second-factor/codes"], except = [] }
    leaving   = { priority = 30, count = 30, method = "DELETE", paths = ["/v1/me"], except = [] }
    admission = { priority = 40, count = 480, method = "", paths = ["/v1/sales/*/admission"], except = [] }
    checkout  = { priority = 50, count = 240, method = "", paths = ["/v1/checkouts"], except = [] }
    papers    = { priority = 60, count = 240, method = "", paths = ["/v1/orders/*/receipt.pdf", "/v1/orders/*/tickets", "/v1/me/export", "/v1/openapi.json"], except = [] }
    sockets   = { priority = 70, count = 1200, method = "", paths = ["/ws"], except = [] }
    webhooks  = { priority = 80, count = 30000, method = "", paths = ["/v1/webhooks/stripe"], except = [] }
    all       = { priority = 90, count = 3000, method = "", paths = [], except = ["/v1/webhooks/stripe"] }
  }
  limits = {
    for name, rule in local.rules : name => merge(rule, {
      count = lookup(var.per_minute_max, name, rule.count)
      # In small letters, since the path is made so before it is compared.
      path = format("^(%s)/?$", join("|", [
        for path in concat(rule.paths, rule.except) : replace(replace(lower(path), ".", "\\."), "*", "[^/]+")
      ]))
      shape = length(rule.except) > 0 ? "except" : rule.method != "" ? "method" : "path"
    })
  }

  # A service decodes a path before it looks for the route, so what is counted is decoded too. Dots, double slashes and capitals
  # lead to no route; that they are counted as the route that they resemble costs nobody anything.
  seen_as = ["URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"]
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV2_AWS_31:Its log names every address that was refused; the counters are enough
  name        = var.name
  description = "Limits for one address"
  scope       = var.scope

  default_action {
    allow {}
  }

  custom_response_body {
    key          = "slower"
    content_type = "APPLICATION_JSON"
    content = jsonencode({
      type   = "/problems/too_many_requests", title = "Too many requests", status = 429
      detail = "too many requests from this address; come again shortly"
    })
  }
  custom_response_body {
    key          = "stranger"
    content_type = "APPLICATION_JSON"
    content      = jsonencode({ type = "about:blank", title = "Forbidden", status = 403 })
  }

  # Who did not come by our distribution could write any network into the header, and have another's limit used up: such a
  # request is refused before anything is counted.
  dynamic "rule" {
    for_each = var.own_header == "" ? [] : [var.own_header]
    content {
      name     = "strangers"
      priority = 1
      action {
        block {
          custom_response {
            response_code            = 403
            custom_response_body_key = "stranger"
          }
        }
      }
      statement {
        not_statement {
          statement {
            regex_match_statement {
              regex_string = "^(${join("|", var.own_values)})$"
              field_to_match {
                single_header {
                  name = rule.value
                }
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
        metric_name                = "${var.name}-strangers"
        sampled_requests_enabled   = false
      }
    }
  }

  dynamic "rule" {
    for_each = local.limits
    content {
      name     = rule.key
      priority = rule.value.priority
      action {
        block {
          custom_response {
            response_code            = 429
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
          aggregate_key_type    = var.network_header == "" ? "IP" : "FORWARDED_IP"
          limit                 = rule.value.count
          evaluation_window_sec = 60
          dynamic "forwarded_ip_config" {
            for_each = var.network_header == "" ? [] : [var.network_header]
            content {
              header_name = forwarded_ip_config.value
              # What is no address there was not written by us.
              fallback_behavior = "MATCH"
            }
          }
          scope_down_statement {
            dynamic "regex_match_statement" {
              for_each = rule.value.shape == "path" ? [rule.value.path] : []
              content {
                regex_string = regex_match_statement.value
                field_to_match {
                  uri_path {}
                }
                dynamic "text_transformation" {
                  for_each = local.seen_as
                  content {
                    priority = text_transformation.key
                    type     = text_transformation.value
                  }
                }
              }
            }
            dynamic "not_statement" {
              for_each = rule.value.shape == "except" ? [rule.value.path] : []
              content {
                statement {
                  regex_match_statement {
                    regex_string = not_statement.value
                    field_to_match {
                      uri_path {}
                    }
                    dynamic "text_transformation" {
                      for_each = local.seen_as
                      content {
                        priority = text_transformation.key
                        type     = text_transformation.value
                      }
                    }
                  }
                }
              }
            }
            dynamic "and_statement" {
              for_each = rule.value.shape == "method" ? [rule.value] : []
              content {
                statement {
                  byte_match_statement {
                    positional_constraint = "EXACTLY"
                    search_string         = and_statement.value.method
                    field_to_match {
                      method {}
                    }
                    text_transformation {
                      priority = 0
                      type     = "NONE"
                    }
                  }
                }
                statement {
                  regex_match_statement {
                    regex_string = and_statement.value.path
                    field_to_match {
                      uri_path {}
                    }
                    dynamic "text_transformation" {
                      for_each = local.seen_as
                      content {
                        priority = text_transformation.key
                        type     = text_transformation.value
                      }
                    }
                  }
                }
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
    priority = 100
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
