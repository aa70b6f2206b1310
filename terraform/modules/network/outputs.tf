output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Where the balancer is."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "service_subnet_ids" {
  description = "Where services and functions are."
  value       = [for zone in local.zones : aws_subnet.services[zone].id]
}

output "data_subnet_ids" {
  description = "Where stores are."
  value       = [for zone in local.zones : aws_subnet.data[zone].id]
}

output "nat_addresses" {
  description = "What others see us as, for their lists of whom they let in."
  value       = [for eip in aws_eip.nat : eip.public_ip]
}
