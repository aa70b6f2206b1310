# A function from one binary: provided.al2023 runs `bootstrap`. Callers use the alias `live`, so that instances can be kept
# ready for it and a version can be taken back by moving it.
resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:Traces go by OTLP, as those of the services; the runtime's own would be a second kind
  #checkov:skip=CKV_AWS_115:It is a variable; the mailer is limited by its event source
  #checkov:skip=CKV_AWS_117:Those that reach a store are in the network; the warmer calls AWS only
  #checkov:skip=CKV_AWS_272:What is deployed is named by its digest, and only the pipeline writes where it lies
  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.this.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_s
  reserved_concurrent_executions = var.concurrency_max
  kms_key_arn                    = var.kms_key_arn
  publish                        = true

  filename         = var.package.filename
  s3_bucket        = var.package.bucket
  s3_key           = var.package.key
  source_code_hash = var.package.filename != null ? filebase64sha256(var.package.filename) : var.package.digest

  dynamic "environment" {
    for_each = length(var.environment) == 0 ? [] : [var.environment]
    content {
      variables = environment.value
    }
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead.arn
  }

  dynamic "vpc_config" {
    for_each = var.network == null ? [] : [var.network]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = [aws_security_group.this[0].id]
    }
  }

  # Without its rights a first call would fail; without its log's group it would make one that keeps everything for ever.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What callers use"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_function_event_invoke_config" "live" {
  function_name                = aws_lambda_function.this.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = var.asynchronous.retries_max
  maximum_event_age_in_seconds = var.asynchronous.age_s_max
}

resource "aws_lambda_event_source_mapping" "queue" {
  count                   = var.queue == null ? 0 : 1
  event_source_arn        = var.queue.arn
  function_name           = aws_lambda_alias.live.arn
  batch_size              = var.queue.batch_max
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.queue.concurrency_max
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:Logs name reservations and orders; a month is long enough to find out what happened
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

# Calls that nobody waited for and that failed to the end.
resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 14 * 86400
  kms_master_key_id         = var.kms_key_arn
}
