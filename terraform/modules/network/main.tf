data "aws_region" "here" {}

locals {
  zones = var.zones
  # Sixteen parts; the first three for the public, the next for services, the next for data. Services get the room.
  public   = { for i, zone in local.zones : zone => cidrsubnet(var.cidr, 4, i) }
  services = { for i, zone in local.zones : zone => cidrsubnet(var.cidr, 4, 4 + i) }
  data     = { for i, zone in local.zones : zone => cidrsubnet(var.cidr, 4, 8 + i) }
  nat = {
    per_zone = local.zones
    single   = slice(local.zones, 0, 1)
    none     = []
  }[var.nat]
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# A group nobody names lets nothing through.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-default-closed" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each          = local.public
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "services" {
  for_each          = local.services
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = { Name = "${var.name}-services-${each.key}" }
}

resource "aws_subnet" "data" {
  for_each          = local.data
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = { Name = "${var.name}-data-${each.key}" }
}
