locals {
  # Managed policies of CloudFront, which have the same ids everywhere.
  caching_disabled      = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  caching_optimized     = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  forward_as_viewer_has = "216adef6-5c7f-47e4-b989-5492eafa07d3"
}

resource "aws_cloudfront_origin_access_control" "static" {
  count                             = var.cdn ? 1 : 0
  name                              = "${var.name}-static"
  description                       = "Files of the shop"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# The page finds out from its path what to show: every path that is nobody else's is the one page.
resource "aws_cloudfront_function" "page" {
  count   = var.cdn ? 1 : 0
  name    = "${var.name}-page"
  runtime = "cloudfront-js-2.0"
  comment = "Every path of the shop is its one page"
  publish = true
  code    = file("${path.module}/page.js")
}

# Calls and sockets are counted by their network at the balancer.
resource "aws_cloudfront_function" "network" {
  count   = var.cdn ? 1 : 0
  name    = "${var.name}-network"
  runtime = "cloudfront-js-2.0"
  comment = "Says whose request it is"
  publish = true
  code    = file("${path.module}/network.js")
}

# What gateways say of the same page when they hand it out.
resource "aws_cloudfront_response_headers_policy" "page" {
  #checkov:skip=CKV_AWS_259:A place on the browsers' own list cannot be given back; the owner of the domain decides that
  count = var.cdn ? 1 : 0
  name  = "${var.name}-page"

  security_headers_config {
    content_security_policy {
      content_security_policy = join("; ", [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
        "media-src blob:", "connect-src 'self'", "worker-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'none'",
        "require-trusted-types-for 'script'", "trusted-types worker", "frame-ancestors 'none'",
      ])
      override = true
    }
    content_type_options {
      override = true
    }
    frame_options {
      frame_option = "DENY"
      override     = true
    }
    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }
    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = true
      preload                    = false
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_86:Its log names every shopper's address
  #checkov:skip=CKV_AWS_305:Every path is made the page by a function; a default object would be a second way
  #checkov:skip=CKV_AWS_310:There is one balancer over all zones; a second one would lead to the same services
  #checkov:skip=CKV_AWS_374:Shoppers are where they are
  #checkov:skip=CKV2_AWS_46:The files have an access control; the other origin is the balancer
  #checkov:skip=CKV2_AWS_47:The firewall has the rule; nothing here is written in Java
  count           = var.cdn ? 1 : 0
  enabled         = true
  is_ipv6_enabled = true
  comment         = var.name
  aliases         = [var.domain]
  http_version    = "http2and3"
  price_class     = "PriceClass_All"
  web_acl_id      = module.firewall_at_cdn[0].arn

  origin {
    origin_id                = "static"
    domain_name              = module.static.domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.static[0].id
  }

  origin {
    origin_id   = "services"
    domain_name = aws_route53_record.origin[0].fqdn
    # The first signs; the balancer knows the second too, while they change (deploy/keys.md).
    custom_header {
      name  = local.own_header
      value = var.origin_secrets[0]
    }
    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 60
      origin_keepalive_timeout = 50
    }
  }

  default_cache_behavior {
    target_origin_id           = "static"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.page[0].id
    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.page[0].arn
    }
  }

  ordered_cache_behavior {
    path_pattern               = "/web/*"
    target_origin_id           = "static"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.page[0].id
  }

  # Nothing that a service says is kept by us; browsers keep what it allows them to.
  dynamic "ordered_cache_behavior" {
    for_each = ["/v1/*", "/ws"]
    content {
      #checkov:skip=CKV2_AWS_32:The services set their own headers
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "services"
      viewer_protocol_policy   = "https-only"
      allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods           = ["GET", "HEAD"]
      compress                 = false
      cache_policy_id          = local.caching_disabled
      origin_request_policy_id = local.forward_as_viewer_has
      function_association {
        event_type   = "viewer-request"
        function_arn = aws_cloudfront_function.network[0].arn
      }
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.cdn_certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }
}
