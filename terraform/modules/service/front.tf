resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:Inside, the balancer speaks HTTP to instances that only it can reach
  count            = var.front == null ? 0 : 1
  name             = var.name
  vpc_id           = var.vpc_id
  port             = var.front.port
  protocol         = "HTTP"
  protocol_version = "HTTP1"
  target_type      = "instance"

  # Whoever has the fewest: a rush meets instances that were warmed a minute ago.
  load_balancing_algorithm_type = "least_outstanding_requests"
  # One that leaves early has closed its connections by then.
  deregistration_delay = var.front.leaves_early ? local.stop_s + 15 : var.front.longest_request_s + 10

  health_check {
    port                = tostring(var.inner_port)
    path                = "/readyz"
    protocol            = "HTTP"
    matcher             = "200"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener_rule" "this" {
  count        = var.front == null ? 0 : 1
  listener_arn = var.front.listener_arn
  priority     = var.front.priority

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }
  condition {
    path_pattern {
      values = var.front.paths
    }
  }
  # Only what our distribution sends on; every distribution of anybody's has the same addresses.
  dynamic "condition" {
    for_each = var.own_header == "" ? [] : [var.own_header]
    content {
      http_header {
        http_header_name = condition.value
        values           = var.own_values
      }
    }
  }
  tags = { Name = var.name }
}
