# One balancer for everything that answers requests. Which service gets what is said by each service, as a rule of this
# listener; what no rule takes is nobody's.
resource "aws_security_group" "balancer" {
  #checkov:skip=CKV2_AWS_5:It is attached to the balancer below
  name        = "${var.name}-balancer"
  description = "Balancer of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-balancer" }
}

data "aws_ec2_managed_prefix_list" "cloudfront" {
  count = var.cdn ? 1 : 0
  name  = "com.amazonaws.global.cloudfront.origin-facing"
}

# With CloudFront in front nobody else connects. These are the addresses of everybody's distributions: that a request is of ours
# is known by a header that only it writes, which every rule of the listener asks for, and the firewall before them.
resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  count             = var.cdn ? 1 : 0
  security_group_id = aws_security_group.balancer.id
  description       = "CloudFront"
  prefix_list_id    = data.aws_ec2_managed_prefix_list.cloudfront[0].id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "shoppers" {
  #checkov:skip=CKV_AWS_260:Port 80 only sends on to 443
  for_each          = var.cdn ? {} : { http = 80, https = 443 }
  security_group_id = aws_security_group.balancer.id
  description       = "Shoppers"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "box_office" {
  count             = var.box_office_port == null ? 0 : 1
  security_group_id = aws_security_group.balancer.id
  description       = "Box office"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = var.box_office_port
  to_port           = var.box_office_port
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:Its log names every shopper's address; an operator who needs it gives access_logs_bucket
  #checkov:skip=CKV_AWS_150:It is a variable, on by default; off only for places that come and go
  #checkov:skip=CKV2_AWS_20:There is a redirect wherever port 80 can be reached at all
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnet_ids
  security_groups            = [aws_security_group.balancer.id]
  idle_timeout               = var.idle_s
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  xff_header_processing_mode = "append"
  enable_deletion_protection = var.protect

  dynamic "access_logs" {
    for_each = var.access_logs_bucket == "" ? [] : [var.access_logs_bucket]
    content {
      enabled = true
      bucket  = access_logs.value
      prefix  = var.name
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      # With a distribution: whoever comes without its header is a stranger.
      status_code  = var.cdn ? "403" : "404"
      message_body = jsonencode({ type = "about:blank", title = var.cdn ? "Forbidden" : "Not Found", status = var.cdn ? 403 : 404 })
    }
  }
}

# Its paths are also those of the page, so that it has a port of its own.
resource "aws_lb_listener" "box_office" {
  count             = var.box_office_port == null ? 0 : 1
  load_balancer_arn = aws_lb.this.arn
  port              = var.box_office_port
  protocol          = "HTTPS"
  ssl_policy        = aws_lb_listener.https.ssl_policy
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      status_code  = "404"
      message_body = jsonencode({ type = "about:blank", title = "Not Found", status = 404 })
    }
  }
}

resource "aws_lb_listener" "http" {
  count             = var.cdn ? 0 : 1
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
