module "receipts" {
  source      = "../bucket"
  name        = var.receipts_bucket
  kms_key_arn = var.kms_key_arn
  keep        = var.protect
}
