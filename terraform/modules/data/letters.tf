resource "aws_sqs_queue" "letters" {
  name                       = "${var.name}-letters"
  visibility_timeout_seconds = var.letters.visibility_s
  message_retention_seconds  = var.letters.days * 86400
  receive_wait_time_seconds  = 20
  kms_master_key_id          = var.kms_key_arn
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.letters.receives_max
  })
}

# A letter that nobody could send: kept as long as SQS can, for somebody to look at.
resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-letters-dead"
  message_retention_seconds = 14 * 86400
  kms_master_key_id         = var.kms_key_arn
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  # An emulator that does not tell it back would be waited for.
  count     = var.emulated ? 0 : 1
  queue_url = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.letters.arn]
  })
}

data "aws_iam_policy_document" "tls_only" {
  for_each = { letters = aws_sqs_queue.letters.arn, dead = aws_sqs_queue.dead.arn }
  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each  = { letters = aws_sqs_queue.letters.id, dead = aws_sqs_queue.dead.id }
  queue_url = each.value
  policy    = data.aws_iam_policy_document.tls_only[each.key].json
}
