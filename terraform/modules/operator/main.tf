# The operators' place inside: `miaosha migrate`, `audit`, `parked`, a mysql client, a Prometheus for the length of an event.
# Nobody logs in from outside; a shell is opened by Session Manager. It carries the mark of the general instances, which
# are started before an event and stopped after it.
data "aws_region" "here" {}
data "aws_partition" "here" {}

resource "aws_instance" "this" {
  #checkov:skip=CKV_AWS_126:Nobody decides by the figures of this one machine; those of every five minutes will do
  ami                    = var.ami_id
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  vpc_security_group_ids = [aws_security_group.this.id]
  iam_instance_profile   = aws_iam_instance_profile.this.name
  ebs_optimized          = true
  user_data_base64       = base64gzip(local.boot)

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  root_block_device {
    volume_type = "gp3"
    volume_size = 50
    encrypted   = true
  }
  tags = { Name = var.name, "miaosha:general" = "true" }

  lifecycle {
    # A newer image of the machine is no reason to throw away what somebody works on.
    ignore_changes = [ami, user_data_base64]
  }
}

locals {
  boot = templatefile("${path.module}/boot/cloud-init.yaml", {
    command = base64encode(templatefile("${path.module}/boot/miaosha.sh", {
      region   = data.aws_region.here.name
      image    = var.image
      registry = var.repository_arn == null ? "" : split("/", var.image)[0]
    }))
    settings      = base64encode(join("", [for name, value in var.environment : "${name}=${value}\n"]))
    secrets       = base64encode(join("", [for name, arn in var.secrets : "${name} ${arn}\n"]))
    ca_bundle_url = var.ca_bundle_url
  })
}

resource "aws_security_group" "this" {
  name        = var.name
  description = "Operators of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = var.name }
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

# Inner ports of the fleet, for a Prometheus here.
resource "aws_vpc_security_group_egress_rule" "inner" {
  security_group_id = aws_security_group.this.id
  description       = "Inner ports inside"
  cidr_ipv4         = data.aws_vpc.this.cidr_block
  ip_protocol       = "tcp"
  from_port         = 9101
  to_port           = 9105
}

resource "aws_vpc_security_group_egress_rule" "outside" {
  security_group_id = aws_security_group.this.id
  description       = "TLS to the outside"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

data "aws_vpc" "this" {
  id = var.vpc_id
}
