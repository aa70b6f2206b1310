# CloudFront finds the balancer by a name that the balancer's certificate is for.
resource "aws_route53_record" "origin" {
  count   = var.cdn ? 1 : 0
  zone_id = var.zone_id
  name    = "origin.${var.domain}"
  type    = "A"
  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "shop" {
  for_each = toset(var.cdn ? ["A", "AAAA"] : ["A"])
  zone_id  = var.zone_id
  name     = var.domain
  type     = each.key
  alias {
    name                   = var.cdn ? aws_cloudfront_distribution.this[0].domain_name : aws_lb.this.dns_name
    zone_id                = var.cdn ? aws_cloudfront_distribution.this[0].hosted_zone_id : aws_lb.this.zone_id
    evaluate_target_health = !var.cdn
  }
}
