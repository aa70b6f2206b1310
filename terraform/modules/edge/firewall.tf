# The same limits at both doors. At CloudFront each address is counted by itself, and what is too much goes no further; but there
# nothing says that the 2^64 addresses of one customer of IPv6 are one. The distribution writes the network into a header
# (network.js), which is counted at the balancer. Without a distribution the balancer's is the only one, and takes IPv4 alone.
module "firewall_at_cdn" {
  source         = "../firewall"
  count          = var.cdn ? 1 : 0
  name           = var.name
  scope          = "CLOUDFRONT"
  per_minute_max = var.per_minute_max
  providers = {
    aws = aws.us_east_1
  }
}

module "firewall" {
  source         = "../firewall"
  name           = "${var.name}-balancer"
  scope          = "REGIONAL"
  per_minute_max = var.per_minute_max
  network_header = var.cdn ? local.network_header : ""
  own_header     = local.own_header
  own_values     = var.origin_secrets
}

resource "aws_wafv2_web_acl_association" "balancer" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = module.firewall.arn
  # It refuses what is without our distribution's header: only once every place of CloudFront says it.
  depends_on = [aws_cloudfront_distribution.this]
}

locals {
  network_header = "x-miaosha-network"
  own_header     = var.cdn ? "x-miaosha-origin" : ""
}
