# Sent to the emulator as to AWS, but not told back by it.
resource "aws_db_instance" "primary" {
  lifecycle {
    ignore_changes = [performance_insights_enabled, performance_insights_kms_key_id, performance_insights_retention_period]
  }
}

# Parameters are kept, and not told back as those that somebody set.
resource "aws_db_parameter_group" "this" {
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [parameter]
  }
}

# Told back with other white space, which AWS does not do.
resource "aws_sqs_queue" "letters" {
  lifecycle {
    ignore_changes = [redrive_policy]
  }
}
