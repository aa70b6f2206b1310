# The box office beside a front: the same instances by another port, and a group of its own, so that what it answers is counted apart.
resource "aws_lb_target_group" "box_office" {
  #checkov:skip=CKV_AWS_378:Inside, the balancer speaks HTTP to instances that only it can reach
  count            = var.box_office == null ? 0 : 1
  name             = "${var.name}-box"
  vpc_id           = var.vpc_id
  port             = var.box_office.port
  protocol         = "HTTP"
  protocol_version = "HTTP1"
  target_type      = "instance"

  load_balancing_algorithm_type = "least_outstanding_requests"
  # An instance goes when its front's connections have gone.
  deregistration_delay = aws_lb_target_group.this[0].deregistration_delay

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

resource "aws_lb_listener_rule" "box_office" {
  count        = var.box_office == null ? 0 : 1
  listener_arn = var.box_office.listener_arn
  priority     = 10

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.box_office[0].arn
  }
  condition {
    path_pattern {
      values = ["/*"]
    }
  }
  tags = { Name = "${var.name}-box" }
}
