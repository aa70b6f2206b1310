data "aws_caller_identity" "us" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.us.account_id]
    }
  }
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Call"
    actions   = ["lambda:InvokeFunction"]
    resources = [var.warmer.live_arn]
  }
  statement {
    sid       = "Undelivered"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.undelivered.arn]
  }
  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role" "this" {
  name_prefix        = "${var.name}-warmup-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  name   = "call"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}
