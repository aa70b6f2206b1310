output "name" {
  description = "The bucket."
  value       = aws_s3_bucket.this.id
}

output "arn" {
  description = "Its ARN."
  value       = aws_s3_bucket.this.arn
}

output "domain_name" {
  description = "Where a distribution fetches its objects."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
