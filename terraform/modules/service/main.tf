# One service of the fleet: how an instance of it is made, and how many there are.
data "aws_region" "here" {}
data "aws_partition" "here" {}
data "aws_caller_identity" "us" {}

locals {
  # SIGTERM, the drain, and some time to write what is left.
  stop_s = ceil(var.drain_ms_max / 1000) + 10
}

resource "aws_launch_template" "this" {
  name                   = var.name
  description            = "Instances of ${var.name}"
  image_id               = var.ami_id
  instance_type          = var.instance_type
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.this.id]
  user_data              = base64gzip(local.boot)

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  # Containers share the host's network, so one hop reaches it and nothing further does.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = var.disk_gb
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  monitoring {
    enabled = true
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])
    content {
      resource_type = tag_specifications.key
      tags          = { Name = var.name, "miaosha:service" = var.name }
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name                = var.name
  vpc_zone_identifier = var.subnet_ids
  min_size            = var.capacity.min
  desired_capacity    = coalesce(var.capacity.desired, var.capacity.min)
  max_size            = var.capacity.max
  target_group_arns   = concat(aws_lb_target_group.this[*].arn, aws_lb_target_group.box_office[*].arn)

  # Not the balancer's: a service whose store is away is not ready, and a new one would not be either. A process that hangs
  # is ended by its own instance.
  health_check_type         = "EC2"
  health_check_grace_period = 120
  default_instance_warmup   = 60
  default_cooldown          = 60
  capacity_rebalance        = false
  metrics_granularity       = "1Minute"
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "WarmPoolWarmedCapacity"]
  wait_for_capacity_timeout = "15m"

  launch_template {
    id      = aws_launch_template.this.id
    version = tostring(aws_launch_template.this.latest_version)
  }

  # A change of the launch template: one more before one less, and the way back by itself.
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 125
      instance_warmup        = 90
      skip_matching          = true
      auto_rollback          = true
      alarm_specification {
        alarms = [local.rollback_alarm]
      }
    }
  }

  dynamic "warm_pool" {
    for_each = var.capacity.prepared > 0 ? [var.capacity.prepared] : []
    content {
      pool_state                  = "Stopped"
      min_size                    = warm_pool.value
      max_group_prepared_capacity = var.capacity.max
      instance_reuse_policy {
        reuse_on_scale_in = true
      }
    }
  }

  tag {
    key                 = "Name"
    value               = var.name
    propagate_at_launch = true
  }
  tag {
    key                 = "miaosha:service"
    value               = var.name
    propagate_at_launch = true
  }

  lifecycle {
    # They are moved before and after events; an apply in between must not move them back.
    ignore_changes = [min_size, desired_capacity, max_size]
  }

  # The alarm that takes a refresh back must be there before a refresh can begin.
  depends_on = [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.unready]
}

resource "aws_autoscaling_schedule" "this" {
  for_each = var.schedules
  # With the name of the group: they are told apart by it wherever they are listed.
  scheduled_action_name  = "${var.name}-${each.key}"
  autoscaling_group_name = aws_autoscaling_group.this.name
  start_time             = each.value.at
  recurrence             = each.value.recurrence
  time_zone              = each.value.recurrence == null ? null : "Etc/UTC"
  min_size               = each.value.min
  max_size               = each.value.max
  desired_capacity       = each.value.min
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:Logs name reservations and orders; a month is long enough to find out what happened
  name              = "/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}
