mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::shop-receipts", id = "shop-receipts" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name        = "shop-receipts"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
}

run "private_encrypted_kept" {
  command = plan
  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "nothing of it is public"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "encrypted by our key"
  }
  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "not destroyed with what is in it"
  }
  assert {
    condition     = one([for statement in data.aws_iam_policy_document.this.statement : statement if statement.sid == "TlsOnly"]).effect == "Deny"
    error_message = "nobody speaks to it in clear"
  }
}

run "a_bad_name_is_refused" {
  command = plan
  variables {
    name = "Shop_Receipts"
  }
  expect_failures = [var.name]
}

run "no_days_are_refused" {
  command = plan
  variables {
    old_versions_days = 0
  }
  expect_failures = [var.old_versions_days]
}
