# The whole shop as it is planned, with what the emulator cannot apply: replica, cluster-mode Redis, CloudFront. Passwords are
# drawn by AWS even for a plan, and what is drawn cannot be mocked: AWS is the emulator here.
provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}

variables {
  region              = "eu-central-1"
  domain              = "shop.example.org"
  zone_id             = "Z0123456789ABC"
  certificate_arn     = "arn:aws:acm:eu-central-1:123456789012:certificate/a"
  cdn_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/b"
  ami_id              = "ami-0123456789abcdef0"
  buckets             = { receipts = "shop-receipts", static = "shop-static" }
  images = {
    publisher        = "registry.example.org/publisher:1.0.0"
    consumer         = "registry.example.org/consumer:1.0.0"
    payment-consumer = "registry.example.org/payment-consumer:1.0.0"
    gateway          = "registry.example.org/gateway:1.0.0"
    miaosha          = "registry.example.org/miaosha:1.0.0"
  }
  packages = {
    mailer = { bucket = "artifacts", key = "mailer.zip", digest = "m" }
    warmer = { bucket = "artifacts", key = "warmer.zip", digest = "w" }
  }
  mail   = { from_address = "shop@example.org" }
  stripe = false
}

override_data {
  target = module.edge.data.aws_ec2_managed_prefix_list.cloudfront
  values = { id = "pl-cloudfront" }
}

run "five_services" {
  command = plan
  assert {
    condition     = toset(keys(output.groups)) == toset(["publisher", "consumer", "payment-consumer", "gateway", "sockets"])
    error_message = "five groups"
  }
  assert {
    condition     = { for name, service in local.services : name => one(service.front[*].paths[0]) } == { publisher = "/v1/sales/*/attempts", consumer = null, payment-consumer = null, gateway = "/*", sockets = "/ws" }
    error_message = "attempts reach publishers, sockets the socket fleet, the rest the gateways"
  }
  assert {
    condition     = local.services.publisher.front.priority < local.services.gateway.front.priority && local.services.sockets.front.priority < local.services.gateway.front.priority
    error_message = "the rest is what is left"
  }
  assert {
    condition     = toset(keys(local.services.publisher.secrets)) == toset(["MIAOSHA__TOKEN_KEYS", "MIAOSHA__RABBIT__URL"]) && toset(keys(local.services.publisher.reaches)) == toset(["broker"])
    error_message = "a publisher knows the broker only"
  }
  assert {
    condition     = { for name, service in local.described : name => try(service.renamed["MIAOSHA__TOKEN_KEYS"], "MIAOSHA__TOKEN_KEYS") if contains(service.needs, "MIAOSHA__TOKEN_KEYS") } == { publisher = "ADMISSION_KEYS", gateway = "MIAOSHA__TOKEN_KEYS", sockets = "ACCESS_PUBLIC_KEYS" }
    error_message = "gateways sign; a publisher's keys sign nothing but admissions, and a socket gateway's nothing at all"
  }
  assert {
    condition     = toset([for name, service in local.services : name if contains(keys(service.secrets), "MIAOSHA__RECEIPT_KEYS")]) == toset(["gateway", "payment-consumer"])
    error_message = "who prints receipts has the keys for it"
  }
  assert {
    condition     = !contains(keys(local.services.consumer.secrets), "MIAOSHA__TOKEN_KEYS") && contains(keys(local.services.gateway.secrets), "MIAOSHA__MYSQL__REPLICA_URL")
    error_message = "a consumer signs nothing; gateways read from the replica"
  }
  assert {
    condition     = alltrue([for name, service in local.services : endswith(service.environment["MIAOSHA__PROCESS__INNER_LISTEN"], ":${service.inner_port}")])
    error_message = "the inner port is where the balancer asks"
  }
  assert {
    condition     = alltrue([for name, service in local.services : endswith(lookup(service.environment, "MIAOSHA__HTTP__LISTEN", lookup(service.environment, "MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN", "")), ":${service.front.port}") if service.front != null])
    error_message = "the service listens where the balancer knocks"
  }
  assert {
    condition     = local.services.gateway.environment["MIAOSHA__GATEWAY__TRUSTED_HOPS"] == "2"
    error_message = "CloudFront and the balancer"
  }
  assert {
    condition     = alltrue([for name, service in local.services : service.environment["MIAOSHA__HTTP__TRUSTED_PROXIES"] == var.cidr if service.front != null])
    error_message = "whatever the balancer, and nobody else, hands on comes from our own network"
  }
  assert {
    condition     = alltrue([for name in ["gateway", "payment-consumer"] : local.services[name].environment["MIAOSHA__PAYMENTS__SANDBOX"] == "true"])
    error_message = "who takes money is told that none moves"
  }
  assert {
    condition     = alltrue([for name, plan in local.plan : can(regex("^(c7g|m7g|r7g)\\.", plan.instance_type))])
    error_message = "Graviton"
  }
}

run "only_our_distribution_is_let_in" {
  command = plan
  assert {
    condition     = module.edge.own_header == "x-miaosha-origin" && length(data.aws_secretsmanager_secret_version.origin) == 1
    error_message = "the rules of the balancer ask for what our distribution says"
  }
}

run "x86_with_stripe_and_traces" {
  command = plan
  variables {
    architecture = "x86_64"
    size         = "large"
    stripe       = true
    otlp_url     = "http://collector:4318/v1/traces"
  }
  assert {
    condition     = alltrue([for name, plan in local.plan : can(regex("^(c7i|m7i|r7i)\\.", plan.instance_type))])
    error_message = "the other architecture, everywhere"
  }
  assert {
    condition     = contains(output.environment_names.gateway, "MIAOSHA__STRIPE__WEBHOOK_SECRETS") && contains(output.environment_names.payment-consumer, "MIAOSHA__STRIPE__SECRET_KEY") && !contains(output.environment_names.sockets, "MIAOSHA__STRIPE__SECRET_KEY")
    error_message = "who takes money has the keys for it, and nobody else"
  }
  assert {
    condition     = alltrue([for name in ["gateway", "payment-consumer"] : local.services[name].environment["MIAOSHA__PAYMENTS__SANDBOX"] == "false"])
    error_message = "with Stripe there is no sandbox"
  }
  assert {
    condition     = alltrue([for names in values(output.environment_names) : contains(names, "MIAOSHA__PROCESS__TRACING__OTLP_URL")])
    error_message = "everybody sends traces"
  }
}

run "a_box_office_beside_the_gateways" {
  command = plan
  variables {
    cdn        = false
    box_office = true
  }
  assert {
    condition     = local.services.gateway.environment["MIAOSHA__BOX_OFFICE__LISTEN"] == "0.0.0.0:3049" && local.services.gateway.environment["MIAOSHA__BOX_OFFICE__ON"] == "true"
    error_message = "it listens where the balancer knocks"
  }
  assert {
    condition     = alltrue([for name, service in local.services : !contains(keys(service.environment), "MIAOSHA__BOX_OFFICE__ON") if name != "gateway"])
    error_message = "gateways have it, and nobody else: a socket gateway signs nothing"
  }
}

run "more_connections_than_the_ledger_takes_are_refused" {
  command = plan
  variables {
    pool_max = 200
  }
  expect_failures = [output.connections]
}

run "what_a_variable_alone_shows_is_refused" {
  command = plan
  variables {
    region     = "Frankfurt"
    zone_id    = "example.org"
    size       = "huge"
    partitions = 0
    pool_max   = 1
    otlp_url   = "collector:4318"
    mail       = { from_address = "shop", smtp_port = 25 }
    fleet      = { mailer = { max = 2 } }
    packages   = { mailer = { filename = "x.zip" } }
    events = {
      spring = { warm_at = "2090-03-01T09:00:00Z", cool_at = "2090-03-01T14:00:00Z", capacities = { publisher = 12 } }
      summer = { warm_at = "2090-06-01T09:00:00Z", cool_at = "2090-06-01T14:00:00Z", scheduled = { publisher = 6 } }
    }
  }
  expect_failures = [
    var.region, var.zone_id, var.size, var.partitions, var.pool_max, var.otlp_url, var.mail, var.fleet, var.packages, var.events,
  ]
}
