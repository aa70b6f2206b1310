# The shop's files. They lie under web/, as they do in the repository.
module "static" {
  source      = "../bucket"
  name        = var.static_bucket
  kms_key_arn = var.kms_key_arn
  keep        = var.protect
  policies    = data.aws_iam_policy_document.static[*].json
}

data "aws_iam_policy_document" "static" {
  count = var.cdn ? 1 : 0
  statement {
    sid       = "Distribution"
    actions   = ["s3:GetObject"]
    resources = ["${module.static.arn}/web/*"]
    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceArn"
      values   = [aws_cloudfront_distribution.this[0].arn]
    }
  }
}
