# Where failed calls go is sent to the emulator as to AWS, but not told back by it.
resource "aws_lambda_function" "this" {
  lifecycle {
    ignore_changes = [dead_letter_config]
  }
}

# It tells the version that an alias stands for, and not the alias.
resource "aws_lambda_event_source_mapping" "queue" {
  lifecycle {
    ignore_changes = [function_name]
  }
}

# Descriptions of rules that name a group are not told back.
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
