resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:It is attached by the launch template
  name        = var.name
  description = "Instances of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = var.name }
}

locals {
  # In: the balancer to the door and to the health check, watchers to the inner port.
  inward = merge(
    var.front == null ? {} : {
      shoppers = { group = var.front.balancer_security_group_id, port = var.front.port }
      health   = { group = var.front.balancer_security_group_id, port = var.inner_port }
    },
    var.box_office == null ? {} : {
      box-office = { group = var.front.balancer_security_group_id, port = var.box_office.port }
    },
    { for watcher, group in var.watchers : watcher => { group = group, port = var.inner_port } },
  )
}

resource "aws_vpc_security_group_ingress_rule" "inward" {
  for_each                     = local.inward
  security_group_id            = aws_security_group.this.id
  description                  = each.key
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "inward" {
  for_each                     = { for name, way in local.inward : name => way if !contains(keys(var.watchers), name) }
  security_group_id            = each.value.group
  description                  = "${var.name}: ${each.key}"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "reach" {
  for_each                     = var.reaches
  security_group_id            = aws_security_group.this.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "reach" {
  for_each                     = var.reaches
  security_group_id            = each.value.security_group_id
  description                  = "From ${var.name}"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# AWS, the registry, packages of the system, the payment provider: all of them speak TLS at this port.
resource "aws_vpc_security_group_egress_rule" "outside" {
  security_group_id = aws_security_group.this.id
  description       = "TLS to the outside"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
