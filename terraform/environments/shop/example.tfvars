# A shop in Frankfurt. Copy to shop.auto.tfvars, which is not checked in.
region              = "eu-central-1"
domain              = "shop.example.org"
zone_id             = "Z0123456789ABC"
certificate_arn     = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
cdn_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/22222222-2222-2222-2222-222222222222"
buckets             = { receipts = "example-shop-receipts", static = "example-shop-static" }

architecture = "arm64"
ami_id       = "ami-0123456789abcdef0"
size         = "small"
images = {
  publisher        = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/miaosha/publisher:1.0.0"
  consumer         = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/miaosha/consumer:1.0.0"
  payment-consumer = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/miaosha/payment-consumer:1.0.0"
  gateway          = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/miaosha/gateway:1.0.0"
  miaosha          = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/miaosha/miaosha:1.0.0"
}
repositories = {
  publisher        = "arn:aws:ecr:eu-central-1:123456789012:repository/miaosha/publisher"
  consumer         = "arn:aws:ecr:eu-central-1:123456789012:repository/miaosha/consumer"
  payment-consumer = "arn:aws:ecr:eu-central-1:123456789012:repository/miaosha/payment-consumer"
  gateway          = "arn:aws:ecr:eu-central-1:123456789012:repository/miaosha/gateway"
  miaosha          = "arn:aws:ecr:eu-central-1:123456789012:repository/miaosha/miaosha"
}
packages = {
  mailer = { bucket = "example-artifacts", key = "mailer/1.0.0.zip", digest = "sha256, in base64" }
  warmer = { bucket = "example-artifacts", key = "warmer/1.0.0.zip", digest = "sha256, in base64" }
}

mail         = { from_name = "Example Shop", from_address = "shop@example.org" }
stripe       = true
alarm_emails = ["operators@example.org"]

events = {
  spring-sale = {
    warm_at    = "2027-03-01T08:00:00Z"
    cool_at    = "2027-03-01T14:00:00Z"
    capacities = { publisher = 12, gateway = 12, sockets = 6, consumer = 4, payment-consumer = 4 }
    functions  = { mailer = 20 }
  }
}
