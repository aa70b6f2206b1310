resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:It is attached to the function
  count       = var.network == null ? 0 : 1
  name        = var.name
  description = "Function ${var.name}"
  vpc_id      = var.network.vpc_id
  tags        = { Name = var.name }
}

resource "aws_vpc_security_group_egress_rule" "reach" {
  for_each                     = var.network == null ? {} : var.network.reaches
  security_group_id            = aws_security_group.this[0].id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "reach" {
  for_each                     = var.network == null ? {} : var.network.reaches
  security_group_id            = each.value.security_group_id
  description                  = "From ${var.name}"
  referenced_security_group_id = aws_security_group.this[0].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "outside" {
  for_each          = toset([for port in try(var.network.outside, []) : tostring(port)])
  security_group_id = aws_security_group.this[0].id
  description       = "AWS, and the mail server"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}
