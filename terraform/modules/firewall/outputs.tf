output "arn" {
  description = "What CloudFront or a balancer is told."
  value       = aws_wafv2_web_acl.this.arn
}
