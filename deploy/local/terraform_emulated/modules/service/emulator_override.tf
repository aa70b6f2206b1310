# Sent to the emulator as to AWS, but not told back by it.
resource "aws_autoscaling_group" "this" {
  lifecycle {
    ignore_changes = [min_size, desired_capacity, max_size, default_instance_warmup]
  }
}

# The template's own tags are told back as if they were its instances'.
resource "aws_launch_template" "this" {
  lifecycle {
    ignore_changes = [tag_specifications]
  }
}

# Descriptions of rules that name a group are not told back.
resource "aws_vpc_security_group_ingress_rule" "inward" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_egress_rule" "inward" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_egress_rule" "reach" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "reach" {
  lifecycle {
    ignore_changes = [description]
  }
}
