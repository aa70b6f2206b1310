# Descriptions of rules that name a group are sent to the emulator as to AWS, but not told back by it.
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
